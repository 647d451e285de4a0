"""Lambda event source mappings on SQS: how batches are taken, judged and paced."""

import threading

from . import patch


@patch("fifo-concurrency", {
    "services.lambda_svc:_sqs_esm_concurrency": "d3e9d1e865aa",
    "services.lambda_svc:_poll_sqs": "e438a6a1e094",
    "services.sqs:_collect_fifo": "dc84c5a1db0b",
})
def fifo_concurrency():
    """A FIFO queue's batches run side by side, as many as MaximumConcurrency allows.

    AWS: as many invocations as there are active message groups, up to MaximumConcurrency; a group is only ever in one.
    MiniStack: one batch at a time for the whole queue, so one slow entity holds up all others. Its queues do lock the
    groups in flight, so batches side by side keep the order within each group.
    """
    from ministack.services import lambda_svc

    def batches_in_flight(esm, func_rec, config, queue=None):
        limit = (esm.get("ScalingConfig") or {}).get("MaximumConcurrency") or lambda_svc._ESM_SQS_DEFAULT_CONCURRENCY
        reserved = lambda_svc._reserved_concurrency(func_rec, config)
        return limit if reserved is None else min(limit, reserved)

    lambda_svc._sqs_esm_concurrency = batches_in_flight


@patch("strict-batch-response", {
    "services.lambda_svc:_run_sqs_batch": "f9bf630aabf3",
    "services.lambda_svc:_execute_function": "3ceb16d6480a",
})
def strict_batch_response():
    """A malformed answer to ReportBatchItemFailures fails the whole batch.

    AWS: an answer that is not the documented shape, or an item identifier that is empty, null or not of this batch,
    returns all messages to the queue; nothing at all, or a null or empty list, means that all succeeded.
    MiniStack: ignores what it does not understand and deletes the batch; a null list keeps it.
    """
    from ministack.services import lambda_svc

    run, execute = lambda_svc._run_sqs_batch, lambda_svc._execute_function
    current = threading.local()

    def execute_judged(func, event):
        result = execute(func, event)
        batch = getattr(current, "batch", None)
        if batch is not None and not result.get("error"):
            failures = _failures(result.get("body"), batch)
            if failures is None:
                lambda_svc.logger.error("ESM: malformed batch response fails the whole batch: %.200r", result["body"])
                failures = batch
            result["body"] = {"batchItemFailures": [{"itemIdentifier": each} for each in failures]}
        return result

    def run_judged(esm, func_rec, event, batch, queue_url, queue_name):
        if "ReportBatchItemFailures" in esm.get("FunctionResponseTypes", []):
            current.batch = [message["id"] for message in batch]
        try:
            run(esm, func_rec, event, batch, queue_url, queue_name)
        finally:
            current.batch = None

    lambda_svc._execute_function = execute_judged
    lambda_svc._run_sqs_batch = run_judged


def _failures(answer, batch):
    """The ids that failed, or None if the answer is malformed."""
    if answer is None:
        return []
    if not isinstance(answer, dict):
        return None
    items = answer.get("batchItemFailures")
    if items is None:
        return []
    if not isinstance(items, list):
        return None
    ids = [item.get("itemIdentifier") if isinstance(item, dict) else None for item in items]
    return ids if all(each in batch for each in ids) else None


@patch("no-pause-after-failure", {
    "services.lambda_svc:_run_sqs_batch": "f9bf630aabf3",
    "services.lambda_svc:_execute_function": "3ceb16d6480a",
})
def no_pause_after_failure():
    """A failed invocation holds up its own message groups and no other.

    AWS: the failed batch stays invisible for its visibility timeout; the mapping keeps invoking for other groups.
    MiniStack: stops the whole mapping for a second. Kept for throttled invocations: without the pause a function at its
    limit would use up the receive counts of everything in the queue.
    """
    from ministack.services import lambda_svc

    run, execute = lambda_svc._run_sqs_batch, lambda_svc._execute_function
    current = threading.local()

    def execute_noted(func, event):
        result = execute(func, event)
        current.throttled = bool(result.get("throttle"))
        return result

    def run_unpaused(esm, *args):
        current.throttled = False
        try:
            run(esm, *args)
        finally:
            if not current.throttled:
                lambda_svc._esm_backoff_until.pop(esm["UUID"], None)

    lambda_svc._execute_function = execute_noted
    lambda_svc._run_sqs_batch = run_unpaused


@patch("prompt-poll", {
    "services.lambda_svc:_poll_loop": "6a443090919a",
    "services.lambda_svc:_ESM_IDLE_WAKE_GAP_SECONDS": "0602d7c813c1",
})
def prompt_poll():
    """The poller looks again 5 ms after a look that found nothing, not 50 ms.

    AWS: many pollers that wait on the queue.
    MiniStack: one poller, woken by every send; a look that found all groups busy delays the next one by 50 ms, which
    would be most of what a test measures as latency.
    """
    from ministack.services import lambda_svc

    lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = 0.005


@patch("prompt-runtime-api", {"core.lambda_runtime:ProvidedWorker._build_handler_class": "806d5b8e5060"})
def prompt_runtime_api():
    """An event reaches its function at once, not 40 ms later.

    AWS: handing an event to a warm function takes about a millisecond.
    MiniStack: its Runtime API writes header and body apart, and Nagle's algorithm holds the body until the function's
    side acknowledges the header, which takes 40 ms on Linux. Here such servers send at once.
    """
    import http.server

    http.server.BaseHTTPRequestHandler.disable_nagle_algorithm = True


@patch("mapping-validation", {
    "services.lambda_svc:_create_esm": "d351521bb6cd",
    "services.lambda_svc:_update_esm": "1b7e0409cb65",
    "services.cloudformation.provisioners:_lambda_esm_create": "f053a4e8c30c",
    "services.cloudformation.provisioners:_lambda_esm_update": "aa8165621335",
})
def mapping_validation():
    """An event source mapping that AWS refuses is refused.

    AWS: the queue must exist and its visibility timeout must not be below the function's timeout; on a FIFO queue a batch
    holds at most ten messages and there is no batching window.
    MiniStack: accepts all of it, from the API and from CloudFormation.
    """
    from ministack.services import lambda_svc
    from ministack.services.cloudformation import provisioners

    create, update = lambda_svc._create_esm, lambda_svc._update_esm
    create_resource, update_resource = provisioners._lambda_esm_create, provisioners._lambda_esm_update

    def create_checked(data):
        problem = _mapping_problem(data)
        return lambda_svc._invalid_parameter_value(problem) if problem else create(data)

    def update_checked(esm_id, data):
        problem = _mapping_problem({**(lambda_svc._esms.get(esm_id) or {}), **data})
        return lambda_svc._invalid_parameter_value(problem) if problem else update(esm_id, data)

    def create_resource_checked(logical_id, props, stack_name):
        _raise_for(props)
        return create_resource(logical_id, props, stack_name)

    def update_resource_checked(physical_id, old_props, new_props, stack_name):
        _raise_for(new_props)
        return update_resource(physical_id, old_props, new_props, stack_name)

    def _raise_for(props):
        if problem := _mapping_problem(props):
            raise ValueError(f"Invalid request provided: {problem} (InvalidParameterValueException)")

    lambda_svc._create_esm, lambda_svc._update_esm = create_checked, update_checked
    provisioners._lambda_esm_create = create_resource_checked
    provisioners._lambda_esm_update = update_resource_checked
    provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"].update(
        create=create_resource_checked, update=update_resource_checked
    )


def _mapping_problem(mapping):
    """Why AWS would refuse this mapping of a queue to a function, or None."""
    from ministack.services import lambda_svc, sqs

    source = mapping.get("EventSourceArn", "")
    if ":sqs:" not in source:
        return None
    queue = sqs._queue_by_arn(source)
    if queue is None:
        return f"The queue {source} does not exist."
    function, config, _ = lambda_svc._get_func_record_for_ref(mapping.get("FunctionName", ""))
    timeout = int((config or {}).get("Timeout", 3)) if function else 0
    visibility = int(queue["attributes"].get("VisibilityTimeout", "30"))
    if visibility < timeout:
        return f"Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds"
    if queue["is_fifo"] and int(mapping.get("BatchSize") or 10) > 10:
        return "BatchSize must not exceed 10 for a FIFO queue."
    if queue["is_fifo"] and int(mapping.get("MaximumBatchingWindowInSeconds") or 0) > 0:
        return "MaximumBatchingWindowInSeconds is not supported for a FIFO queue."
    return None


PATCHES = (fifo_concurrency, strict_batch_response, no_pause_after_failure, prompt_poll, prompt_runtime_api, mapping_validation)
