"""Rules for what people see and may do: alarms, the dashboard, traces, and the policies for those who look and repair."""

import json
import re

from processed import TEMPLATE
from reading import as_list, of_partitions, parse

# What the functions write, which a test of theirs compares with the lines: metric -> lists of dimensions.
METRICS = json.loads((TEMPLATE.parent / "crates/engine/src/telemetry/metrics.json").read_text())
WRITTEN = {}
for _metric in (m for line in METRICS.values() for m in line):
    WRITTEN.setdefault(_metric["name"], []).append(_metric["dimensions"])

# The sections of docs/OPERATIONS.md that say what to do: the end of the alarm's logical id -> its section.
SECTIONS = {
    "FreshnessAlarm": "Freshness",
    "ParkedAlarm": "Parked",
    "CircuitAlarm": "Circuit open",
    "UnwatchedAlarm": "Waker",
    "RejectedAlarm": "Rejected",
    "GaveUpAlarm": "Given up",
    "DeadLettersAlarm": "Dead letters",
    "UndeliveredAlarm": "Undelivered",
    "OldestMessageAlarm": "Oldest message",
    "ErrorsAlarm": "Errors",
    "ThrottlesAlarm": "Throttles",
}

HEADINGS = set(re.findall(r"^#{2,3} (.+)$", (TEMPLATE.parent / "docs/OPERATIONS.md").read_text(), re.M))

XRAY = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
# Actions that AWS lets nobody restrict to resources, by its service authorization reference.
WITHOUT_RESOURCES = {"cloudwatch:GetMetricStatistics", "events:ListRules", "lambda:ListEventSourceMappings"}


def section_of(alarm):
    for shared in ("Waker", "Changes", "Ingest"):
        if alarm.startswith(shared):
            return shared
    return next((section for end, section in SECTIONS.items() if re.search(end + "[0-9]*$", alarm)), None)


def alarms(t):
    """Each watches a metric that AWS or the functions write, tells the topic, and says where to read on."""
    found = []
    wanted = [
        ("WakerErrorsAlarm", "AWS/Lambda", "Errors", ("FunctionName", "ref:Waker")),
        ("ChangesErrorsAlarm", "AWS/Lambda", "Errors", ("FunctionName", "ref:Changes")),
        ("ChangesLateAlarm", "AWS/Lambda", "IteratorAge", ("FunctionName", "ref:Changes")),
        ("ChangesFailuresAlarm", "AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName", "att:ChangesFailureQueue.QueueName")),
    ]
    for v in t.vendors:
        ages = zip(of_partitions(t, v, "OldestMessageAlarm"), of_partitions(t, v, "Queue"), strict=True)
        wanted += [(i, "AWS/SQS", "ApproximateAgeOfOldestMessage", ("QueueName", f"att:{queue}.QueueName")) for i, queue in ages]
        wanted += [
            (f"{v}DeadLettersAlarm", "AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName", f"att:{v}DeadLetterQueue.QueueName")),
            (f"{v}UndeliveredAlarm", "AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName", f"att:{v}UndeliveredQueue.QueueName")),
            (f"{v}FreshnessAlarm", "Vendorbridge", "freshness_ms", ("vendor", v)),
            (f"{v}ParkedAlarm", "Vendorbridge", "parked", ("vendor", v)),
            (f"{v}CircuitAlarm", "Vendorbridge", "circuit_open", ("vendor", v)),
            (f"{v}UnwatchedAlarm", "Vendorbridge", "parked", ("vendor", v)),
            (f"{v}RejectedAlarm", "Vendorbridge", "settled", ("vendor", v), ("status", "REJECTED")),
            (f"{v}GaveUpAlarm", "Vendorbridge", "settled", ("vendor", v), ("status", "DEAD")),
            (f"{v}ErrorsAlarm", "AWS/Lambda", "Errors", ("FunctionName", f"ref:{v}Function")),
            (f"{v}ThrottlesAlarm", "AWS/Lambda", "Throttles", ("FunctionName", f"ref:{v}Function")),
        ]
    if "Ingest" in t.resources:
        wanted += [
            ("IngestErrorsAlarm", "AWS/Lambda", "Errors", ("FunctionName", "ref:Ingest")),
            ("IngestThrottlesAlarm", "AWS/Lambda", "Throttles", ("FunctionName", "ref:Ingest")),
            ("IngestFailuresAlarm", "AWS/ApiGateway", "5xx", ("ApiId", "ref:IngestHttpApi")),
        ]
    topic = t.parameters["AlarmTopicArn"]
    if {i for i, _ in t.of("CloudWatch::Alarm")} != {i for i, *_ in wanted}:
        found.append("other alarms than those that are known here")
    for i, namespace, metric, *dimensions_wanted in wanted:
        alarm = t.properties(i)
        dimensions = [(d["Name"], d["Value"]) for d in alarm.get("Dimensions", [])]
        if (alarm.get("Namespace"), alarm.get("MetricName"), dimensions) != (namespace, metric, dimensions_wanted):
            found.append(f"{i}: does not watch {namespace} {metric} of {dimensions_wanted}")
        if namespace == "Vendorbridge" and [name for name, _ in dimensions_wanted] not in WRITTEN.get(metric, []):
            found.append(f"{i}: nobody writes {metric} by {dimensions_wanted}")
        section = re.search(r" See docs/OPERATIONS\.md, ([A-Z][a-z ]+)\.$", alarm.get("AlarmDescription", ""))
        if not section or section[1] != section_of(i) or section[1] not in HEADINGS:
            found.append(f"{i}: its description names no section of docs/OPERATIONS.md, or another alarm's")
        if alarm.get("AlarmActions", []) != ([topic] if topic else []):
            found.append(f"{i}: does not tell the topic")
        silence = "breaching" if i.endswith("UnwatchedAlarm") else "notBreaching"
        if alarm.get("TreatMissingData") != silence:
            found.append(f"{i}: goes off without data, or does not where it should")
        if alarm.get("EvaluateLowSampleCountPercentile", "evaluate") != "evaluate":
            found.append(f"{i}: is blind below a thousand samples")
    return found


def thresholds(t):
    """Where teams differ, a parameter."""
    wanted = {"FreshnessAlarm": "FreshnessAlarmMs", "ParkedAlarm": "ParkedAlarmEntities"}
    return [
        f"{v}{alarm}: its threshold is not {parameter}"
        for v in t.vendors
        for alarm, parameter in wanted.items()
        if str(t.properties(v + alarm).get("Threshold")) != t.parameters[parameter]
    ]


def dashboard(t):
    """It is JSON, shows every vendor each metric, and no metric that nobody writes."""
    body = parse(t.properties("Dashboard").get("DashboardBody"))
    if not body:
        return ["Dashboard: its body is no JSON"]
    found = []
    metrics = [metric for widget in body["widgets"] for metric in widget["properties"]["metrics"]]
    shown = {(name, vendor) for namespace, name, _, vendor in (m for m in metrics if len(m) == 4) if namespace == "Vendorbridge"}
    shown |= {("settled", vendor) for vendor in re.findall(r'MetricName="settled" vendor="([a-z0-9]+)"', json.dumps(metrics).replace('\\"', '"'))}
    wanted = {(name, v) for name in WRITTEN if name != "attempt" for v in t.vendors}
    if shown != wanted:
        found.append(f"Dashboard: shows other metrics than those that are written: {sorted(shown ^ wanted)}")
    if {w["properties"].get("region") for w in body["widgets"]} != {"eu-west-1"}:
        found.append("Dashboard: a graph is of no region")
    if len(metrics) > 500 or not all(widget["properties"]["title"] for widget in body["widgets"]):
        found.append("Dashboard: too many metrics, or a graph without a title")
    return found


def tracing(t):
    """X-Ray is asked for or off; the permission is there with it, and only then."""
    found = [
        f"{i}: Tracing is not its parameter"
        for i, function in t.of("Lambda::Function")
        if function.get("TracingConfig", {}).get("Mode") != t.parameters["Tracing"]
    ]
    if t.raw["Parameters"]["Tracing"]["Default"] != "PassThrough":
        found.append("Tracing: X-Ray is on unless it is turned off")
    for i, role in t.of("IAM::Role"):
        actions = {a for p in role["Policies"] for s in p["PolicyDocument"]["Statement"] for a in as_list(s["Action"])}
        if (XRAY <= actions) != (t.parameters["Tracing"] == "Active") or bool(XRAY & actions) != (XRAY <= actions):
            found.append(f"{i}: may write to X-Ray without being traced, or the other way round")
    return found


def people(t):
    """Those who look change nothing. Those who repair reach the vendors' own records, lanes and functions, of this stack.

    A wildcard ends a name that begins with the stack's, or stands alone for actions that know no resources."""
    found = []
    stack = t.properties("Bus")["Name"]
    statements = {i: p["PolicyDocument"]["Statement"] for i, p in t.of("IAM::ManagedPolicy")}
    for i, document in statements.items():
        for s in document:
            actions = set(as_list(s["Action"]))
            for text in as_list(s["Action"]) + as_list(s["Resource"]):
                named = re.search(rf"[:/]{re.escape(stack)}-\*(\.fifo)?$|:rule/\*/{re.escape(stack)}(-\*)?$|:stack/{re.escape(stack)}/\*$", text)
                mappings_of_stack = text.endswith(":event-source-mapping:*") and f"function:{stack}-*" in json.dumps(s.get("Condition"))
                if "*" in text and not named and not mappings_of_stack and not (text == "*" and actions <= WITHOUT_RESOURCES):
                    found.append(f"{i}: {text}")
    allowed = {i: {a for s in d if s["Effect"] == "Allow" for a in as_list(s["Action"])} for i, d in statements.items()}
    looks = WITHOUT_RESOURCES | {
        "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "sqs:GetQueueAttributes", "sqs:GetQueueUrl",
        "cloudformation:DescribeStacks", "lambda:GetFunctionConfiguration", "lambda:GetEventSourceMapping",
        "events:DescribeRule", "events:ListTargetsByRule", "logs:FilterLogEvents",
    }  # fmt: skip
    repairs = {
        "sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "dynamodb:PutItem",
        "dynamodb:UpdateItem", "lambda:InvokeFunction", "events:PutEvents",
    }  # fmt: skip
    if allowed != {"LookPolicy": looks, "OperatePolicy": repairs}:
        found.append("LookPolicy, OperatePolicy: grant more or less than is used")
    operate = statements.get("OperatePolicy", [])
    beginning = [f"{v}#*" for v in t.vendors]
    own = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": t.vendors}}
    due = {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": beginning},
        "ForAllValues:StringEquals": {"dynamodb:Attributes": ["pk", "sk", "revision", "parked", "attention_sk"]},
    }
    if [s.get("Condition") for s in operate if "dynamodb:UpdateItem" in as_list(s["Action"])] != [own, due]:
        found.append("OperatePolicy: writes other records than the vendors' own")
    seen = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": t.vendors + beginning}}
    if [s.get("Condition") for s in statements.get("LookPolicy", []) if "dynamodb:Query" in as_list(s["Action"])] != [seen]:
        found.append("LookPolicy: reads what lines of business sent")
    denied = [r for s in operate if s["Effect"] == "Deny" and s["Action"] == "lambda:InvokeFunction" for r in s["Resource"]]
    if denied[:2] != ["att:Waker.Arn", "att:Changes.Arn"] or not denied[-1].endswith(f":function:{stack}-ingest"):
        found.append("OperatePolicy: may call functions that believe whoever calls them")
    for output, policy in (("LookPolicyArn", "LookPolicy"), ("OperatePolicyArn", "OperatePolicy")):
        if t.outputs.get(output, {}).get("Value") != f"ref:{policy}":
            found.append(f"{output}: missing output")
        if len(json.dumps(t.properties(policy).get("PolicyDocument", {}), separators=(",", ":"))) > 5000:
            found.append(f"{policy}: close to the 6144 characters that a managed policy may have")
    return found


RULES = [alarms, thresholds, dashboard, tracing, people]
