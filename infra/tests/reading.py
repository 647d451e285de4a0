"""What rules read out of a processed template."""

import json
import re

MAX_PARTITIONS = 8  # a dead-letter queue names at most ten sources


def of_partitions(t, vendor, part):
    """A part of each partition: of the first, which has the vendor's own, and of the others, by their number."""
    return [f"{vendor}{part}{n or ''}" for n in range(number(t.parameters[f"{vendor}Partitions"]))]


def queue_names(t, vendor):
    """What the queues of a vendor may be named, whether they are there or not."""
    name = f"{t.properties('Bus')['Name']}-{vendor}"
    return [f"{name}{n and f'_{n}' or ''}.fifo" for n in range(MAX_PARTITIONS)]


def partition_arns(t, vendor):
    """All partitions but the first, as a role names them."""
    return f"arn:aws:sqs:eu-west-1:123456789012:{t.properties('Bus')['Name']}-{vendor}_?.fifo"


def mappings(t, service):
    """The event source mappings of queues (`sqs`) or of streams (`dynamodb`)."""
    queues = dict(t.of("SQS::Queue"))
    is_queue = {i: target(m["EventSourceArn"]) in queues for i, m in t.of("Lambda::EventSourceMapping")}
    return [(i, m) for i, m in t.of("Lambda::EventSourceMapping") if is_queue[i] == (service == "sqs")]


def matches(pattern, event):
    """Whether EventBridge would match; of its operators those that the template uses."""
    for name, wanted in pattern.items():
        if name == "$or":
            if not any(matches(part, event) for part in wanted):
                return False
        elif isinstance(wanted, dict):
            if not isinstance(event.get(name), dict) or not matches(wanted, event[name]):
                return False
        elif not any(w == {"exists": name in event} if isinstance(w, dict) else event.get(name) == w for w in wanted):
            return False
    return True


def target(symbol):
    """`att:mailchimpQueue.Arn` or `ref:mailchimpQueue` -> `mailchimpQueue`."""
    return re.split(r"[.]", symbol.split(":", 1)[-1])[0]


def symbolic(value):
    return str(value).startswith(("att:", "ref:"))


def references(node):
    return set(re.findall(r"(?:att|ref):([A-Za-z0-9]+)", json.dumps(node)))


def number(value):
    return int(value)


def concurrency(mapping):
    return number(mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 0))


def is_fifo(queue):
    return queue.get("FifoQueue") is True


def queue_of(t, mapping):
    return t.properties(target(mapping["EventSourceArn"]))


def queue_targets(t):
    """(rule, target) of every rule target that is a queue of this template."""
    queues = dict(t.of("SQS::Queue"))
    return [(i, to) for i, rule in t.of("Events::Rule") for to in rule.get("Targets", []) if target(to["Arn"]) in queues]


def as_list(value):
    return value if isinstance(value, list) else [value]


def keys(partition, sort):
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def allow_rules(queue, stack, name):
    """The rule of this stack's bus, and those of the vendor's own, whose names begin with it, on any bus but the default."""
    rules = "arn:aws:events:eu-west-1:123456789012:rule/"
    return {
        "Sid": "OnlyItsRules",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": f"att:{queue}.Arn",
        "Condition": {"ArnLike": {"aws:SourceArn": [f"{rules}{stack}/{name}", f"{rules}*/{name}-*"]}},
    }


def deny_without_tls(queue):
    return {
        "Sid": "OnlyOverTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": f"att:{queue}.Arn",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def documents(t, role_id):
    """A role's own policies and those attached to it."""
    own = [p["PolicyDocument"] for p in t.properties(role_id).get("Policies", [])]
    return own + [p["PolicyDocument"] for _, p in t.of("IAM::Policy") if f"ref:{role_id}" in p.get("Roles", [])]


def grants(t, role_id):
    """Resource -> actions, over a role's own policies and those attached to it."""
    granted = {}
    for statement in (s for document in documents(t, role_id) for s in document["Statement"] if s["Effect"] == "Allow"):
        for resource in as_list(statement.get("Resource", "*")):
            granted.setdefault(resource, set()).update(as_list(statement.get("Action", "*")))
    return granted


def conditions(documents, resource):
    """Action -> the conditions under which it is granted on a resource."""
    found = {}
    for statement in (s for document in documents for s in document["Statement"] if s["Effect"] == "Allow"):
        if resource in as_list(statement.get("Resource", "*")):
            for action in as_list(statement.get("Action", "*")):
                found.setdefault(action, []).append(statement.get("Condition"))
    return found


def parse(text):
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None


def raw_entries(section):
    for key, entry in section.items():
        yield from entry[2].items() if key.startswith("Fn::ForEach::") else [(key, entry)]


def stray(node, placeholder):
    """Plain texts and nested keys that hold the placeholder where nothing fills it in."""
    if isinstance(node, list):
        for item in node:
            yield from stray(item, placeholder)
    elif isinstance(node, dict):
        for key, value in node.items():
            if placeholder in key:
                yield key
            if key not in ("Fn::Sub", "CodeUri"):
                yield from stray(value, placeholder)
    elif isinstance(node, str) and placeholder in node:
        yield node
