"""EventBridge: what a rule does with a queue as its target."""

import hashlib
import random

from . import Patch, patch


@patch("fifo-target", {
    "services.eventbridge:_dispatch_to_sqs": "eb75981283a2",
    "services.eventbridge:_validate_target_arn": "103834fd5c3b",
    "services.cloudformation.provisioners:_eb_rule_create": "f6821fbd1768",
    "services.sqs:_act_send_message": "3abd766508c8",
})
def fifo_target():
    """A rule delivers to a FIFO queue through SendMessage, with all that SendMessage checks.

    AWS: PutTargets refuses a FIFO queue without SqsParameters.MessageGroupId. Delivery is a SendMessage without a
    deduplication id, so the queue must deduplicate by content, identical bodies within five minutes are one message, and
    the size limit holds.
    MiniStack: invents a group, writes into the queue's list past every check, and neither reads nor fills the
    deduplication window.
    """
    from ministack.services import eventbridge, sqs
    from ministack.services.cloudformation import provisioners

    deliver_to_standard = eventbridge._dispatch_to_sqs
    validate = eventbridge._validate_target_arn
    create_rule = provisioners._eb_rule_create

    def deliver(spec, payload, sqs_parameters=None):
        queue = sqs._queue_by_arn(str(spec))
        if not queue or not queue["is_fifo"]:
            return deliver_to_standard(spec, payload, sqs_parameters)
        message = {
            "QueueUrl": queue["url"],
            "MessageBody": payload,
            "MessageGroupId": (sqs_parameters or {}).get("MessageGroupId"),
        }
        try:
            sqs._act_send_message(message, queue["url"])
        except sqs._Err as refusal:
            eventbridge.logger.error("EventBridge: %s refused an event, which is lost here: %s", spec, refusal.message)

    def validate_target(target):
        error = validate(target)
        if error or not target.get("Arn", "").endswith(".fifo"):
            return error
        if (target.get("SqsParameters") or {}).get("MessageGroupId"):
            return None
        return eventbridge.error_response_json(
            "ValidationException", f"Parameter(s) SqsParameters must be specified for target: {target.get('Id')}.", 400
        )

    def create_checked(logical_id, props, stack_name):
        for target in props.get("Targets", []):
            if error := validate_target(target):
                raise ValueError(f"AWS::Events::Rule PutTargets failed: {error[2]!r}")
        return create_rule(logical_id, props, stack_name)

    eventbridge._dispatch_to_sqs = deliver
    eventbridge._validate_target_arn = validate_target
    # CloudFormation writes a new rule's targets past PutTargets, so it needs the same check.
    provisioners._eb_rule_create = create_checked
    provisioners._RESOURCE_HANDLERS["AWS::Events::Rule"]["create"] = create_checked


@patch("queue-policy", {
    "services.eventbridge:_invoke_target": "550e304af080",
    "services.sqs:queue_policy_allows": "5de01aa09a4c",
})
def queue_policy():
    """With --auth, a rule delivers only to a queue whose policy lets it.

    AWS: a rule's target queue must allow sqs:SendMessage for events.amazonaws.com (usually only for that rule's ARN);
    otherwise delivery fails.
    MiniStack: never looks at the policy for EventBridge, although it does for S3 and SNS.
    """
    from ministack.services import eventbridge, sqs

    invoke = eventbridge._invoke_target

    def invoke_allowed(target, event, rule, view=None):
        queue = target.get("Arn", "")
        if ":sqs:" in queue and not sqs.queue_policy_allows(
            queue, "events.amazonaws.com", rule.get("Arn", ""), sqs.get_account_id()
        ):
            eventbridge.logger.error(
                "EventBridge: the policy of %s does not allow rule %s; the event is lost here", queue, rule.get("Arn")
            )
            return
        invoke(target, event, rule, view)

    eventbridge._invoke_target = invoke_allowed


def duplicates(share: float, seed: int) -> Patch:
    """The patch behind --duplicate: not applied unless asked for."""

    @patch("duplicate", {"services.eventbridge:_dispatch_to_sqs": "eb75981283a2"})
    def duplicate():
        """Some events reach their queue twice.

        AWS: EventBridge delivers at least once, and a second delivery may come after the queue's five minutes of
        deduplication.
        MiniStack: exactly once. Here a seeded share of deliveries is made twice, the second as if the window had passed.
        """
        from ministack.services import eventbridge, sqs

        deliver = eventbridge._dispatch_to_sqs
        dice = random.Random(seed)

        def deliver_again(spec, payload, sqs_parameters=None):
            deliver(spec, payload, sqs_parameters)
            if dice.random() >= share:
                return
            queue = sqs._queue_by_arn(str(spec))
            if queue and queue["is_fifo"]:
                digest = hashlib.sha256(payload.encode()).hexdigest()
                group = (sqs_parameters or {}).get("MessageGroupId")
                for key in (digest, f"{group}:{digest}"):
                    queue["dedup_cache"].pop(key, None)
            deliver(spec, payload, sqs_parameters)

        eventbridge._dispatch_to_sqs = deliver_again

    return duplicate


PATCHES = (fifo_target, queue_policy)
