"""What AWS demands, or Vendorbridge promises, of the processed template; one function per rule.

A rule takes a `Processed` template and returns findings as text, empty when all is well. Most of them are here because
an emulator accepts what AWS refuses, or what AWS accepts and then loses messages over.
"""

import json
import re

import ingest
import signals
from reading import (
    MAX_PARTITIONS,
    allow_rules,
    as_list,
    concurrency,
    conditions,
    deny_without_tls,
    documents,
    grants,
    is_fifo,
    keys,
    mappings,
    matches,
    number,
    of_partitions,
    parse,
    partition_arns,
    queue_names,
    queue_of,
    queue_targets,
    raw_entries,
    references,
    stray,
    symbolic,
    target,
)

# What the vendors allow at the same time, by their own documents; None: they name no limit.
CONNECTIONS = {"mailchimp": 10, "webhook": None, "algolia": None, "portabilling": None, "discovery": None}
# Calls a second that a vendor never gets more of, as docs/CONFIGURATION.md promises; None: nothing is promised.
CALLS = {"mailchimp": None, "webhook": None, "algolia": None, "portabilling": None, "discovery": 10}

# Resources per vendor: suffix of the logical id -> type.
PARTS = {
    "Queue": "SQS::Queue",
    "DeadLetterQueue": "SQS::Queue",
    "UndeliveredQueue": "SQS::Queue",
    "QueuePolicy": "SQS::QueuePolicy",
    "UndeliveredQueuePolicy": "SQS::QueuePolicy",
    "Rule": "Events::Rule",
    "Secret": "SecretsManager::Secret",
    "Logs": "Logs::LogGroup",
    "Role": "IAM::Role",
    "Function": "Lambda::Function",
    "FunctionLanes": "Lambda::EventSourceMapping",
    "WakerPolicy": "IAM::Policy",
    "WakerSchedule": "Events::Rule",
    "WakerPermission": "Lambda::Permission",
    "OldestMessageAlarm": "CloudWatch::Alarm",
    "DeadLettersAlarm": "CloudWatch::Alarm",
    "UndeliveredAlarm": "CloudWatch::Alarm",
    "FreshnessAlarm": "CloudWatch::Alarm",
    "ParkedAlarm": "CloudWatch::Alarm",
    "CircuitAlarm": "CloudWatch::Alarm",
    "RejectedAlarm": "CloudWatch::Alarm",
    "GaveUpAlarm": "CloudWatch::Alarm",
    "ErrorsAlarm": "CloudWatch::Alarm",
    "ThrottlesAlarm": "CloudWatch::Alarm",
}
# What each partition but the first has of its own, which is the vendor's queue itself.
PARTITION_PARTS = {
    "Queue": "SQS::Queue",
    "QueuePolicy": "SQS::QueuePolicy",
    "FunctionLanes": "Lambda::EventSourceMapping",
    "OldestMessageAlarm": "CloudWatch::Alarm",
}
OUTPUTS = ["QueueUrl", "Partitions", "DeadLetterQueueUrl", "UndeliveredQueueUrl", "FunctionName", "SecretArn"]
SHARED = {
    "Bus", "Archive", "Ledger", "Waker", "WakerLogs", "WakerRole", "WakerErrorsAlarm", "WakerEventInvokeConfig",
    "Changes", "ChangesLogs", "ChangesRole", "ChangesFailureQueue", "ChangesFailureQueuePolicy", "ChangesOfLedger",
    "ChangesOfInventory", "ChangesErrorsAlarm", "ChangesLateAlarm", "ChangesFailuresAlarm",
    "Dashboard", "LookPolicy", "OperatePolicy",
}  # fmt: skip
# Rules outside the loop -> the vendor whose queue they feed.
OWN_RULES = {"Auth0Rule": "mailchimp", "Auth0LogRule": "mailchimp"}

VENDOR_VARIABLES = {
    "VENDOR", "QUEUE_URL", "PARTITIONS", "LEDGER_TABLE", "VENDOR_SECRET", "VENDOR_SETTINGS", "MAX_IN_FLIGHT",
    "VENDOR_CALLS_PER_SECOND", "PARK_BASE_SECONDS", "PARK_CAP_SECONDS", "PARK_HORIZON_HOURS", "EVENT_TTL_DAYS", "KEEP_SENT",
    "ALLOW_PLAIN_HTTP", "ALLOW_PRIVATE_ADDRESSES", "EGRESS_PROXY", "LOG_LEVEL",
}  # fmt: skip
WAKER_VARIABLES = {"LEDGER_TABLE", "LOG_LEVEL"}
CHANGES_VARIABLES = {"LEDGER_TABLE", "BUS_NAME", "FAILURE_QUEUE_URL", "STREAMS", "LOG_LEVEL"}
DEPLOYED_VALUE = 200  # characters allowed for a value that only the deployment knows

LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
LEDGER_OF_VENDOR = {"dynamodb:BatchGetItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem", "dynamodb:PutItem"}
QUEUE_OF_VENDOR = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:SendMessage"}

READ_STREAM = {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"}
INTERFACES = "arn:aws:iam::aws:policy/service-role/AWSLambdaENIManagementAccess"
# What functions/changes announces of the ledger: its status, and the detail types it knows.
OUTCOME_STATUSES = ["SYNCED", "REJECTED", "DEAD"]
OUTCOMES = ["SyncSucceeded", "SyncRejected", "SyncDead"]

PLACEHOLDER_SECRET = {"SecretStringTemplate": "{}", "GenerateStringKey": "placeholder", "ExcludePunctuation": True}


# ---- queues and event source mappings ------------------------------------------------------------------------------------


def visibility_outlasts_the_function(t):
    """Or a second worker gets an entity while the first still holds it."""
    found = []
    for i, mapping in mappings(t, "sqs"):
        visibility = number(queue_of(t, mapping).get("VisibilityTimeout", 30))
        timeout = number(t.properties(target(mapping["FunctionName"])).get("Timeout", 3))
        if visibility < 6 * timeout:
            found.append(f"{i}: visibility timeout {visibility} s is below six times the function's {timeout} s")
    return found


def fifo_batches(t):
    """AWS refuses more than ten messages or a batching window on a FIFO queue."""
    found = []
    for i, mapping in mappings(t, "sqs"):
        if is_fifo(queue_of(t, mapping)):
            if not 1 <= number(mapping.get("BatchSize", 10)) <= 10:
                found.append(f"{i}: batch size {mapping['BatchSize']}")
            if number(mapping.get("MaximumBatchingWindowInSeconds", 0)):
                found.append(f"{i}: batching window on a FIFO queue")
    return found


def partial_batches(t):
    return [
        f"{i}: without ReportBatchItemFailures one failure repeats the batch"
        for i, mapping in t.of("Lambda::EventSourceMapping")
        if mapping.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]
    ]


def concurrency_range(t):
    return [
        f"{i}: MaximumConcurrency {concurrency(mapping)} is not within 2 to 1000"
        for i, mapping in mappings(t, "sqs")
        if not 2 <= concurrency(mapping) <= 1000
    ]


def stream_mappings(t):
    """A record that kills the function stands alone after a few halvings and does not stop the shard for ever; what is given
    up is told to the failure queue; and nothing is missed before the mapping is there."""
    found = []
    for i, mapping in mappings(t, "dynamodb"):
        if mapping.get("BisectBatchOnFunctionError") is not True:
            found.append(f"{i}: a record that kills the function takes its batch along")
        if not 10 <= number(mapping.get("MaximumRetryAttempts", -1)) <= 1000:
            found.append(f"{i}: retries for ever, or gives up at the first trouble of the bus")
        if not 3600 <= number(mapping.get("MaximumRecordAgeInSeconds", -1)) < 86400:
            found.append(f"{i}: gives up within the hour, or not before the stream forgets the record")
        if mapping.get("DestinationConfig") != {"OnFailure": {"Destination": "att:ChangesFailureQueue.Arn"}}:
            found.append(f"{i}: what it gives up is gone without a trace")
        if mapping.get("StartingPosition") != "TRIM_HORIZON":
            found.append(f"{i}: misses what happens while it is made")
        if not 1 <= number(mapping.get("BatchSize", 100)) <= 1000 or number(mapping.get("ParallelizationFactor", 1)) != 1:
            found.append(f"{i}: batch size or parallelization factor")
    if number(t.properties("Changes").get("Timeout", 0)) < 45:
        found.append("Changes: too little time for one round of tries")
    return found


def streams(t):
    """The ledger's stream and the inventory's, if it is named; of the ledger, only entities that came to an outcome."""
    found = []
    arn, table = t.parameters["InventoryStreamArn"], t.parameters["InventoryTableName"]
    wanted = {"ChangesOfLedger": "att:Ledger.StreamArn"} | ({"ChangesOfInventory": arn} if arn and table else {})
    if {i: m["EventSourceArn"] for i, m in mappings(t, "dynamodb")} != wanted:
        found.append("streams other than the ledger's and the inventory's")
    if any(m["FunctionName"] != "ref:Changes" for _, m in mappings(t, "dynamodb")):
        found.append("a stream goes to another function than Changes")
    patterns = [parse(f["Pattern"]) for f in t.properties("ChangesOfLedger").get("FilterCriteria", {}).get("Filters", [])]
    if patterns != [{"dynamodb": {"Keys": {"sk": {"S": ["entity"]}}, "NewImage": {"status": {"S": OUTCOME_STATUSES}}}}]:
        found.append("ChangesOfLedger: invoked for more, or for less, than outcomes of entities")
    if "FilterCriteria" in t.properties("ChangesOfInventory"):
        found.append("ChangesOfInventory: leaves out changes")
    variable = parse(t.properties("Changes").get("Environment", {}).get("Variables", {}).get("STREAMS"))
    row = {"table": table, "source": "inventory", "detail_type": "InventoryItemChanged", "id": "{pk}"}
    if variable != ([row] if arn and table else []):
        found.append(f"Changes: STREAMS is {variable}")
    return found


def vendor_connections(t):
    """In-flight calls of an invocation times invocations is what the vendor sees."""
    found = []
    for vendor in t.vendors:
        if vendor not in CONNECTIONS:
            found.append(f"{vendor}: its limit of connections is not in CONNECTIONS")
        elif CONNECTIONS[vendor] is not None:
            variables = t.properties(f"{vendor}Function").get("Environment", {}).get("Variables", {})
            invocations = sum(concurrency(t.properties(i)) for i in of_partitions(t, vendor, "FunctionLanes"))
            seen = number(variables.get("MAX_IN_FLIGHT", 0)) * invocations
            if not 1 <= seen <= CONNECTIONS[vendor]:
                found.append(f"{vendor}: {seen} connections, documented limit {CONNECTIONS[vendor]}")
    return found


def vendor_calls(t):
    """Calls a second of a process times processes is what the vendor gets in a second, with each number of partitions."""
    found = []
    for v in t.vendors:
        calls = t.properties(f"{v}Function").get("Environment", {}).get("Variables", {}).get("VENDOR_CALLS_PER_SECOND")
        row = t.raw["Mappings"]["Profile"].get(v, {})
        if v not in CALLS:
            found.append(f"{v}: what it gets in a second is not in CALLS")
        elif not re.fullmatch("[0-9]+", str(calls)) or calls != row.get("CallsPerSecond"):
            found.append(f"{v}Function: VENDOR_CALLS_PER_SECOND is not that of its row")
        elif CALLS[v] is None and calls != "0":
            found.append(f"{v}: a limit of which docs/CONFIGURATION.md says nothing")
        elif CALLS[v] is not None:
            now = number(calls) * sum(concurrency(t.properties(i)) for i in of_partitions(t, v, "FunctionLanes"))
            stated = {key.removeprefix("MaximumConcurrency"): value for key, value in row.items() if key.startswith("MaximumConcurrency")}
            most = {n: number(n) * number(calls) * number(invocations) for n, invocations in stated.items()} | {"now": now}
            if not all(1 <= seen <= CALLS[v] for seen in most.values()):
                found.append(f"{v}: calls a second by the number of partitions: {most}, promised {CALLS[v]}")
    return found


def partitions(t):
    """Each partition has what the first one has, and no partition is there that the function does not know.

    MaximumConcurrency counts per mapping, so the row of the vendor states it for each number of partitions; the parameter
    takes these numbers and no others, and none of them gives the vendor more connections than it allows."""
    found = []
    for v in t.vendors:
        count = number(t.parameters[f"{v}Partitions"])
        variables = t.properties(f"{v}Function").get("Environment", {}).get("Variables", {})
        if str(variables.get("PARTITIONS")) != str(count) or str(t.outputs.get(f"Partitions{v}", {}).get("Value")) != str(count):
            found.append(f"{v}: the function or the outputs name another number of partitions")
        for part, kind in PARTITION_PARTS.items():
            wanted = {i for i in of_partitions(t, v, part) if part != "QueuePolicy" or t.is_live or i == v + part}
            have = {i for i, r in t.resources.items() if re.fullmatch(rf"{v}{part}[0-9]*", i) and r["Type"] == f"AWS::{kind}"}
            if (have | {v + part}) != wanted:
                found.append(f"{v}{part}: of other partitions than 0 to {count - 1}: {sorted(have)}")
        first, stack = t.properties(f"{v}Queue"), t.properties("Bus")["Name"]
        for n in range(1, count):
            name = {"QueueName": f"{stack}-{v}_{n}.fifo"}
            if t.properties(f"{v}Queue{n}") | {"ContentBasedDeduplication": True} != first | name:
                found.append(f"{v}Queue{n}: not like the first partition, or not named after it")
            source = {"EventSourceArn": f"att:{v}Queue{n}.Arn"}
            if t.properties(f"{v}FunctionLanes{n}") != t.properties(f"{v}FunctionLanes") | source:
                found.append(f"{v}FunctionLanes{n}: not like the mapping of the first partition")
        row = t.raw["Mappings"]["Profile"].get(v, {})
        stated = {int(key.removeprefix("MaximumConcurrency")) for key in row if key.startswith("MaximumConcurrency")}
        if not {1} <= stated <= {1, 2, 4, MAX_PARTITIONS} or row.get("Partitions") != f"{v}Partitions":
            found.append(f"{v}: MaximumConcurrency is stated for {sorted(stated)} partitions, or its row names another parameter")
        if stated != {int(n) for n in t.raw["Parameters"][f"{v}Partitions"]["AllowedValues"]}:
            found.append(f"{v}Partitions: takes other numbers than those for which MaximumConcurrency is stated")
        most = {n: n * number(row["MaxInFlight"]) * number(row[f"MaximumConcurrency{n}"]) for n in stated if row.get("MaxInFlight")}
        if CONNECTIONS.get(v) and any(seen > CONNECTIONS[v] for seen in most.values()):
            found.append(f"{v}: connections by the number of partitions: {most}, documented limit {CONNECTIONS[v]}")
    return found


def fifo_queues(t):
    """Name and flag agree; throughput per group wants deduplication per group."""
    found = []
    for i, queue in t.of("SQS::Queue"):
        if queue["QueueName"].endswith(".fifo") != is_fifo(queue):
            found.append(f"{i}: FifoQueue and the name's ending disagree")
        if queue.get("FifoThroughputLimit") == "perMessageGroupId" and queue.get("DeduplicationScope") != "messageGroup":
            found.append(f"{i}: throughput per message group without deduplication per message group")
        if queue.get("SqsManagedSseEnabled") is not True:
            found.append(f"{i}: not encrypted")
    return found


def lanes_run_side_by_side(t):
    return [
        f"{vendor}Queue: not in high throughput mode"
        for vendor in t.vendors
        if t.properties(f"{vendor}Queue").get("FifoThroughputLimit") != "perMessageGroupId"
    ]


def dead_letters_of_the_same_kind(t):
    """A FIFO queue's dead letters go to a FIFO queue, and that takes them from this one only."""
    found = []
    for i, queue in t.of("SQS::Queue"):
        if "RedrivePolicy" not in queue:
            continue
        dead_id = target(queue["RedrivePolicy"]["deadLetterTargetArn"])
        dead = t.properties(dead_id)
        if is_fifo(dead) != is_fifo(queue):
            found.append(f"{i}: FIFO and standard mixed with {dead_id}")
        allowed = dead.get("RedriveAllowPolicy", {})
        sources = [arn.rsplit(":", 1)[-1] for arn in allowed.get("sourceQueueArns", [])]
        wanted = queue_names(t, dead_id.removesuffix("DeadLetterQueue"))
        if allowed.get("redrivePermission") != "byQueue" or sources != wanted or queue["QueueName"] not in wanted:
            found.append(f"{dead_id}: takes dead letters from others than the partitions, or not from {i}")
    return found


def redrive_limits(t):
    """Lambda's advice is five receives or more: throttled batches count. Dead letters are kept for 14 days."""
    found = []
    for vendor in t.vendors:
        redrive = t.properties(f"{vendor}Queue").get("RedrivePolicy")
        if not redrive or not 5 <= number(redrive.get("maxReceiveCount", 0)) <= 1000:
            found.append(f"{vendor}Queue: maxReceiveCount is not within 5 to 1000")
        for queue in ("DeadLetterQueue", "UndeliveredQueue"):
            if t.properties(vendor + queue).get("MessageRetentionPeriod") != 1209600:
                found.append(f"{vendor}{queue}: keeps less than 14 days")
    return found


# ---- rules ---------------------------------------------------------------------------------------------------------------


def content_based_deduplication(t):
    """A rule names no deduplication id, so SQS would refuse the event."""
    return [
        f"{target(to['Arn'])}: is the target of {i} without content-based deduplication"
        for i, to in queue_targets(t)
        if is_fifo(t.properties(target(to["Arn"]))) and not t.properties(target(to["Arn"])).get("ContentBasedDeduplication")
    ]


def target_message_group(t):
    found = []
    for i, to in queue_targets(t):
        if is_fifo(t.properties(target(to["Arn"]))):
            group = to.get("SqsParameters", {}).get("MessageGroupId", "")
            if not 1 <= len(group) <= 100:
                found.append(f"{i}: message group of {len(group)} characters; 1 to 100")
            elif group != "intake":
                found.append(f"{i}: message group is not the intake lane")
    return found


def undelivered_events_are_kept(t):
    """EventBridge drops an event after 24 h unless the target has dead letters, and these go to a standard queue."""
    found = []
    for i, to in queue_targets(t):
        dead = target(to.get("DeadLetterConfig", {}).get("Arn", ""))
        if dead not in t.resources:
            found.append(f"{i}: no dead-letter queue")
        elif is_fifo(t.properties(dead)):
            found.append(f"{i}: dead letters in a FIFO queue")
        if to.get("RetryPolicy") != {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}:
            found.append(f"{i}: gives up before 24 h and 185 tries")
    return found


def rule_pattern(t):
    found = []
    for i, rule in t.of("Events::Rule"):
        if "ScheduleExpression" in rule:
            continue
        pattern = rule.get("EventPattern", {})
        if len(json.dumps(pattern)) > 2048:
            found.append(f"{i}: pattern above 2048 characters")
        for part in pattern.get("$or", [pattern]):
            if not part.get("detail-type") or not (part.get("source") or part["detail-type"] == ["SyncRequested"]):
                found.append(f"{i}: pattern without source or detail-type takes everything")
        own = t.parameters.get("Auth0EventBusName") or pattern.get("source", [""])[0]
        if rule.get("EventBusName") != (own if i in OWN_RULES else "ref:Bus"):
            found.append(f"{i}: not on the bus of this stack, or its partner's")
        if len(rule.get("Targets", [])) > 5:
            found.append(f"{i}: more than five targets")
    return found


def on_demand(t):
    """SyncRequested reaches the vendor that it names; all, if it names none."""
    found = []
    for v in t.vendors:
        wanted = {"detail-type": ["SyncRequested"], "detail": {"vendor": [{"exists": False}, v]}}
        if wanted not in t.properties(f"{v}Rule").get("EventPattern", {}).get("$or", []):
            found.append(f"{v}Rule: does not take SyncRequested, or another vendor's")
    return found


def no_loops(t):
    """An outcome never triggers a sync: no rule that feeds a queue takes one, whoever it is about."""
    found = []
    for i, rule in t.of("Events::Rule"):
        for outcome in OUTCOMES:
            for vendor in t.vendors:
                for reason in ({}, {"reason": {"kind": "invalid", "stage": "map", "message": "-"}}):
                    detail = {"vendor": vendor, "entity": "customer/1", "event_id": "e", "at": "2026-01-29T14:36:27Z"} | reason
                    event = {"source": "vendorbridge", "detail-type": outcome, "detail": detail}
                    if "EventPattern" in rule and matches(rule["EventPattern"], event):
                        found.append(f"{i}: takes {outcome} of {vendor}")
    return found


def rules_of_auth0(t):
    """The event stream with all that it says of users, the log stream's sign-ups; each only if its source is named."""
    found = []
    wanted = {}
    if t.parameters.get("Auth0Source"):
        types = t.parameters["Auth0DetailTypes"].split(",")
        wanted["Auth0Rule"] = {"source": [t.parameters["Auth0Source"]], "detail-type": types}
    if t.parameters.get("Auth0LogSource"):
        only = {"data": {"type": ["ss"]}}
        wanted["Auth0LogRule"] = {"source": [t.parameters["Auth0LogSource"]], "detail-type": ["Auth0 log"], "detail": only}
    have = {i: rule.get("EventPattern") for i, rule in t.of("Events::Rule") if i in OWN_RULES}
    if have != wanted:
        found.append(f"rules of a vendor's own: {sorted(have)}, or their patterns")
    for i, rule in t.of("Events::Rule"):
        if i in OWN_RULES and OWN_RULES[i] in t.vendors:
            queues = [(to["Arn"], to.get("DeadLetterConfig", {}).get("Arn")) for to in rule["Targets"]]
            if queues != [(f"att:{OWN_RULES[i]}Queue.Arn", f"att:{OWN_RULES[i]}UndeliveredQueue.Arn")]:
                found.append(f"{i}: feeds other queues than its vendor's")
            if not rule["Name"].startswith(f"{t.properties('Bus')['Name']}-{OWN_RULES[i]}-"):
                found.append(f"{i}: its name is not one that the queues let in")
    return found


def queue_policies(t):
    """Each target takes events from its rules; over TLS only, where there is TLS."""
    found = []
    wanted = {}
    stack = t.properties("Bus")["Name"]
    for i, to in queue_targets(t):
        if i in OWN_RULES:
            continue
        for queue in (target(to["Arn"]), target(to.get("DeadLetterConfig", {}).get("Arn", ""))):
            wanted.setdefault(queue, []).append(i)
    for i, _ in t.of("SQS::Queue"):
        statements = [
            s for _, policy in t.of("SQS::QueuePolicy") if policy["Queues"] == [f"ref:{i}"] for s in policy["PolicyDocument"]["Statement"]
        ]
        allowed = [s for s in statements if s["Effect"] == "Allow"]
        if allowed != [allow_rules(i, stack, t.properties(rule)["Name"]) for rule in wanted.get(i, [])]:
            found.append(f"{i}: its policy does not allow just its rules")
        if t.is_live and [s for s in statements if s["Effect"] == "Deny"] != [deny_without_tls(i)]:
            found.append(f"{i}: may be used without TLS")
    return found


def waker_schedules(t):
    """Each vendor's schedule may call the waker, with the input the waker reads."""
    found = []
    for vendor in t.vendors:
        i = f"{vendor}WakerSchedule"
        rule = t.properties(i)
        targets = rule.get("Targets", [{}])
        if rule.get("ScheduleExpression") != "rate(1 minute)" or rule.get("EventBusName"):
            found.append(f"{i}: schedules run on the default bus, once a minute")
        lanes = {"queue_url": f"ref:{vendor}Queue", "partitions": number(t.parameters[f"{vendor}Partitions"])}
        if parse(targets[0].get("Input")) != {"vendor": vendor} | lanes:
            found.append(f"{i}: input names not this vendor and its queues")
        permission = {
            "Action": "lambda:InvokeFunction",
            "FunctionName": "ref:Waker",
            "Principal": "events.amazonaws.com",
            "SourceArn": f"att:{i}.Arn",
        }
        if targets[0].get("Arn") != "att:Waker.Arn" or t.properties(f"{vendor}WakerPermission") != permission:
            found.append(f"{i}: not permitted to call the waker, or not it alone")
    if number(t.properties("Waker").get("Timeout", 0)) >= 60:
        found.append("Waker: may outlast the minute")
    return found


# ---- functions and roles -------------------------------------------------------------------------------------------------


def functions(t):
    found = []
    for i, function in t.of("Lambda::Function"):
        if function.get("Runtime") != "provided.al2023" or function.get("Handler") != "bootstrap":
            found.append(f"{i}: not a bootstrap binary on provided.al2023")
        if function.get("Architectures") != [t.parameters["Architecture"]]:
            found.append(f"{i}: not of the architecture asked for")
        if not 128 <= number(function.get("MemorySize", 128)) <= 10240 or not 1 <= number(function.get("Timeout", 3)) <= 900:
            found.append(f"{i}: memory or timeout out of range")
    if t.raw["Parameters"]["Architecture"].get("Default") != "arm64":
        found.append("Architecture: the default is not arm64")
    return found


def code(t):
    """A static path for all would deploy one binary under every name."""
    wanted = {"Waker": "target/lambda/waker/", "Changes": "target/lambda/changes/"} | {f"{v}Function": f"target/lambda/{v}/" for v in t.vendors}
    wanted |= {"Ingest": "target/lambda/ingest/"} if "Ingest" in t.resources else {}
    found = [f"{i}: code from {t.code.get(i)}, not {path}" for i, path in wanted.items() if t.code.get(i) != path]
    return found + [f"{i}: would be built again" for i in wanted if t.resources.get(i, {}).get("Metadata") != {"SkipBuild": True}]


def environment(t):
    """At most 4 KB, texts only, and what each function reads."""
    found = []
    for i, function in t.of("Lambda::Function"):
        variables = function.get("Environment", {}).get("Variables", {})
        if set(variables) != {"Waker": WAKER_VARIABLES, "Changes": CHANGES_VARIABLES, "Ingest": ingest.variables_wanted(t)}.get(i, VENDOR_VARIABLES):
            found.append(f"{i}: variables {sorted(variables)}")
        not_text = [name for name, value in variables.items() if not isinstance(value, str)]
        if not_text:
            found.append(f"{i}: {not_text} not text")
        size = sum(len(name) + (DEPLOYED_VALUE if symbolic(v) else len(str(v))) for name, v in variables.items())
        if size > 4096:
            found.append(f"{i}: {size} bytes of variables")
    return found


def settings_reach_the_function(t):
    return [
        f"{vendor}Function: VENDOR_SETTINGS is not its parameter"
        for vendor in t.vendors
        if t.properties(f"{vendor}Function").get("Environment", {}).get("Variables", {}).get("VENDOR_SETTINGS")
        != t.parameters.get(f"{vendor}Settings")
    ]


def role_grants(t):
    """Exactly the actions in use, on exactly the resources in use. No exception with `*`."""
    found = []
    wanted = {
        "WakerRole": {
            "att:WakerLogs.Arn": LOGS,
            "att:Ledger.Arn/index/attention": {"dynamodb:Query"},
            "att:Ledger.Arn": {"dynamodb:UpdateItem", "dynamodb:GetItem"},
        }
        | {queue: {"sqs:SendMessage"} for v in t.vendors for queue in (f"att:{v}Queue.Arn", partition_arns(t, v))},
        "ChangesRole": {
            "att:ChangesLogs.Arn": LOGS,
            "*": {"dynamodb:ListStreams"},
            "att:Bus.Arn": {"events:PutEvents"},
            "att:ChangesFailureQueue.Arn": {"sqs:SendMessage"},
        }
        | {m["EventSourceArn"]: READ_STREAM for _, m in mappings(t, "dynamodb")},
    }
    if "Ingest" in t.resources:
        wanted["IngestRole"] = {"att:IngestLogs.Arn": LOGS} | ingest.grants_wanted(t)
    for v in t.vendors:
        wanted[f"{v}Role"] = {
            f"att:{v}Logs.Arn": LOGS,
            f"att:{v}Queue.Arn": QUEUE_OF_VENDOR,
            partition_arns(t, v): QUEUE_OF_VENDOR,
            "att:Ledger.Arn": LEDGER_OF_VENDOR,
            f"att:{v}Secret.Id": {"secretsmanager:GetSecretValue"},
        }
        profile = t.raw["Mappings"]["Profile"].get(v, {})
        if profile.get("RotatesSecret") == "Allow":
            wanted[f"{v}Role"][f"att:{v}Secret.Id"] |= {"secretsmanager:PutSecretValue"}
        if profile.get("ReadsLines") == "Allow":
            wanted[f"{v}Role"]["att:Ledger.Arn"] = LEDGER_OF_VENDOR | {"dynamodb:GetItem"}
        if profile.get("ReadsInventory") == "Allow" and t.parameters["InventoryTableName"]:
            table = f"arn:aws:dynamodb:eu-west-1:123456789012:table/{t.parameters['InventoryTableName']}"
            wanted[f"{v}Role"][table] = {"dynamodb:GetItem", "dynamodb:Scan"}
    for i, role in t.of("IAM::Role"):
        if role.get("ManagedPolicyArns") and role["ManagedPolicyArns"] != [INTERFACES]:
            found.append(f"{i}: managed policies grant more than is used")
        if t.parameters["Tracing"] == "Active" and i in wanted:
            wanted[i]["*"] = wanted[i].get("*", set()) | signals.XRAY
        if grants(t, i) != wanted.get(i):
            found.append(f"{i}: grants other than what is used: {grants(t, i)}")
    return found


def own_records(t):
    """A vendor's role reaches the ledger's records of that vendor only: its own, and those whose key begins with its name.

    A request is allowed by one statement or not at all, so the one that reads both kinds of records at once names both.
    Only the vendor's own record is put as a whole, and nothing else about the vendor is read by the waker. What lines of
    business sent is read by the vendor that they are brought to, and by no other.
    """
    found = []
    for v in t.vendors:
        own = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [v]}}
        entities = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{v}#*"]}}
        both = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [v, f"{v}#*"]}}
        wanted = {
            "dynamodb:BatchGetItem": [both],
            "dynamodb:UpdateItem": [entities],
            "dynamodb:BatchWriteItem": [entities],
            "dynamodb:PutItem": [own],
        }
        if v == ingest.VENDOR_OF_LINES:
            wanted["dynamodb:GetItem"] = [{"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["line#*"]}}]
        if conditions(documents(t, f"{v}Role"), "att:Ledger.Arn") != wanted:
            found.append(f"{v}Role: reaches other vendors' records, or not all of its own")
        waker = t.properties(f"{v}WakerPolicy").get("PolicyDocument", {"Statement": []})
        if conditions([waker], "att:Ledger.Arn") != {"dynamodb:GetItem": [own]}:
            found.append(f"{v}WakerPolicy: reads other records than the vendor's own")
    return found


def networks(t):
    """With subnets, and only then: security groups, and the permission to make network interfaces."""
    found = []
    for v in t.vendors:
        subnets, groups = t.parameters[f"{v}SubnetIds"], t.parameters[f"{v}SecurityGroupIds"]
        wanted = {"SubnetIds": list(filter(None, subnets.split(","))), "SecurityGroupIds": list(filter(None, groups.split(",")))}
        if t.properties(f"{v}Function").get("VpcConfig") != wanted:
            found.append(f"{v}Function: not in the subnets and groups of its parameters")
        if t.properties(f"{v}Role").get("ManagedPolicyArns", []) != ([INTERFACES] if subnets else []):
            found.append(f"{v}Role: network interfaces without subnets, or the other way round")
        if bool(subnets) != bool(groups):
            found.append(f"{v}: subnets without security groups, or the other way round")
        if t.properties(f"{v}Function").get("Environment", {}).get("Variables", {}).get("EGRESS_PROXY") != t.parameters[f"{v}EgressProxy"]:
            found.append(f"{v}Function: EGRESS_PROXY is not its parameter")
    return found


def no_wildcards(t):
    """In a role, neither an action nor a resource holds `*` or `?`, but for the actions that know no resources, and
    for the one character in the names of a vendor's partitions: no other queue is named like these."""
    partitions = [partition_arns(t, v) for v in t.vendors]
    documents = [(i, p["PolicyDocument"]) for i, role in t.of("IAM::Role") for p in role.get("Policies", [])]
    documents += [(i, p["PolicyDocument"]) for i, p in t.of("IAM::Policy")]
    return [
        f"{i}: {text}"
        for i, document in documents
        for statement in document["Statement"]
        if not set(as_list(statement.get("Action", "*"))) <= {"dynamodb:ListStreams"} | signals.XRAY
        for text in as_list(statement.get("Action", "*")) + as_list(statement.get("Resource", "*"))
        if "*" in text or ("?" in text and text not in partitions)
    ]


def roles_of_functions(t):
    """One role each, for Lambda alone."""
    found = []
    roles = [f.get("Role") for _, f in t.of("Lambda::Function")]
    if len(set(roles)) != len(roles):
        found.append("functions share a role")
    for i, role in t.of("IAM::Role"):
        if [s.get("Principal") for s in role["AssumeRolePolicyDocument"]["Statement"]] != [{"Service": "lambda.amazonaws.com"}]:
            found.append(f"{i}: can be assumed by others than Lambda")
    return found


def secrets(t):
    """No value in the template, and no change that would overwrite the one set by hand."""
    found = []
    for i, secret in t.of("SecretsManager::Secret"):
        if "SecretString" in secret:
            found.append(f"{i}: value in the template")
        if secret.get("GenerateSecretString") != PLACEHOLDER_SECRET:
            found.append(f"{i}: a change of GenerateSecretString replaces the value that is in use")
        if "Name" in secret:
            found.append(f"{i}: a fixed name cannot be used again for weeks after a deletion")
    return found


# ---- watching ------------------------------------------------------------------------------------------------------------


def log_groups(t):
    found = []
    for i, function in t.of("Lambda::Function"):
        logging = function.get("LoggingConfig", {})
        group = t.properties(target(logging.get("LogGroup", "")))
        if group.get("LogGroupName") != f"/aws/lambda/{function['FunctionName']}":
            found.append(f"{i}: no log group of its own")
        if not number(group.get("RetentionInDays", 0)):
            found.append(f"{i}: logs are kept for ever")
        if logging.get("LogFormat") != "Text":
            found.append(f"{i}: its JSON lines would be filtered by Lambda's own level")
    return found


# ---- shared --------------------------------------------------------------------------------------------------------------


def ledger(t):
    wanted = {
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": keys("pk", "sk"),
        "GlobalSecondaryIndexes": [
            {"IndexName": "attention", "KeySchema": keys("attention_pk", "attention_sk"), "Projection": {"ProjectionType": "KEYS_ONLY"}}
        ],
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
        "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        "SSESpecification": {"SSEEnabled": True},
    }
    table = t.properties("Ledger")
    found = [f"Ledger: {name} is {table.get(name)}" for name, value in wanted.items() if table.get(name) != value]
    if {a["AttributeName"]: a["AttributeType"] for a in table["AttributeDefinitions"]} != dict.fromkeys(
        ("pk", "sk", "attention_pk", "attention_sk"), "S"
    ):
        found.append("Ledger: attributes other than its keys")
    if "TableName" in table:
        found.append("Ledger: a fixed name blocks a new stack while the old table is kept")
    return found


def ledger_outlives_the_stack(t):
    policy = "Retain" if t.is_live else "Delete"
    entry = t.resources["Ledger"]
    return [f"Ledger: {a} is {entry.get(a)}" for a in ("DeletionPolicy", "UpdateReplacePolicy") if entry.get(a) != policy]


def archive(t):
    archives = [properties.get("SourceArn") for _, properties in t.of("Events::Archive")]
    if archives != (["att:Bus.Arn"] if t.is_live else []):
        return ["Archive: belongs to live, and to live only"]
    return []


# ---- vendors, names, text ------------------------------------------------------------------------------------------------


def every_vendor_has_its_parts(t):
    found = []
    for v in t.vendors:
        parts = PARTS | ({"DeadLetterQueuePolicy": "SQS::QueuePolicy"} if t.is_live else {})
        found += [f"{v}{part}: missing" for part, kind in parts.items() if t.resources.get(v + part, {}).get("Type") != f"AWS::{kind}"]
        found += [f"{output}{v}: missing output" for output in OUTPUTS if f"{output}{v}" not in t.outputs]
        if v not in t.raw["Mappings"]["Profile"]:
            found.append(f"{v}: no row in Mappings")
    return found


def vendors_stand_alone(t):
    """A part refers to its own vendor and to what is shared, and nothing shared refers to a vendor."""
    owner = {i: v for v in t.vendors for i in t.resources if re.match(rf"{v}[A-Z]", i)}
    owner |= {i: v for i, v in OWN_RULES.items() if i in t.resources}
    found = [f"{i}: neither shared nor a vendor's" for i in t.resources if i not in owner and i not in SHARED | ingest.ALL_PARTS]
    for i, resource in t.resources.items():
        for other in references(resource):
            if other in owner and owner[other] != owner.get(i):
                found.append(f"{i}: refers to {other}")
        for vendor in t.vendors:
            if i in owner and owner[i] != vendor and vendor in json.dumps(resource):
                found.append(f"{i}: names {vendor}")
    return found


def names(t):
    """Length, letters and uniqueness of what AWS wants named, and how much one stack may hold."""
    limits = {
        "SQS::Queue": ("QueueName", r"[A-Za-z0-9_-]{1,75}(\.fifo)?|[A-Za-z0-9_-]{1,80}"),
        "Lambda::Function": ("FunctionName", r"[A-Za-z0-9_-]{1,64}"),
        "Events::Rule": ("Name", r"[.A-Za-z0-9_-]{1,64}"),
        "Events::EventBus": ("Name", r"[.A-Za-z0-9_-]{1,256}"),
    }
    found = []
    for kind, (name, pattern) in limits.items():
        seen = set()
        for i, properties in t.of(kind):
            value = properties.get(name, "")
            if not re.fullmatch(pattern, value):
                found.append(f"{i}: {name} {value!r}")
            if value in seen:
                found.append(f"{i}: {name} {value!r} twice")
            seen.add(value)
    found += [f"{i}: not alphanumeric" for i in [*t.resources, *t.outputs] if not re.fullmatch(r"[A-Za-z0-9]+", i)]
    if len(t.resources) > 500 or len(t.outputs) > 200:
        found.append("more than 500 resources or 200 outputs")
    return found


def explained(t):
    """`sam deploy --guided` and the console show these; an output's description is plain text to CloudFormation."""
    found = [f"{i}: no description" for i, p in t.raw["Parameters"].items() if len(p.get("Description", "")) < 20]
    found += [f"{i}: no default" for i, p in t.raw["Parameters"].items() if "Default" not in p]
    for i, output in raw_entries(t.raw["Outputs"]):
        if not isinstance(output.get("Description", ""), str):
            found.append(f"{i}: description is computed")
    return found


def loop_variables(t):
    """CloudFormation fills a loop's variable into keys, Fn::Sub and Ref, not into plain text; SAM packages CodeUri."""
    found = []
    for section in ("Resources", "Outputs"):
        for loop, spec in t.raw[section].items():
            if loop.startswith("Fn::ForEach::"):
                found += in_loop(t, loop, spec)
    return found


def in_loop(t, loop, spec, outer=()):
    variable, _, body = spec
    found = [f"{loop}: its variable is also a parameter"] if variable in t.raw["Parameters"] else []
    for key, fragment in body.items():
        if key.startswith("Fn::ForEach::"):
            found += in_loop(t, key, fragment, (*outer, variable))
            continue
        for name in (*outer, variable):
            found += [f"{key}: {text!r} would stay as it is" for text in stray(fragment, "${%s}" % name)]
            if "${%s}" % name not in key:
                found.append(f"{key}: the rounds of {name} would make it twice")
    return found


ALL = [
    visibility_outlasts_the_function, fifo_batches, partial_batches, concurrency_range, stream_mappings, streams,
    vendor_connections, vendor_calls, partitions, fifo_queues,
    lanes_run_side_by_side, dead_letters_of_the_same_kind, redrive_limits, content_based_deduplication,
    target_message_group, undelivered_events_are_kept, rule_pattern, on_demand, no_loops, rules_of_auth0, queue_policies,
    waker_schedules, *ingest.RULES, functions, code, environment, settings_reach_the_function, role_grants, own_records, networks,
    no_wildcards, roles_of_functions, secrets, log_groups, *signals.RULES, ledger,
    ledger_outlives_the_stack, archive, every_vendor_has_its_parts, vendors_stand_alone, names, explained, loop_variables,
]  # fmt: skip
