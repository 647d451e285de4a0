"""What the roles' key conditions let through. The emulator takes them as met, so they are worked out here as IAM documents
them: one statement must allow the action for every partition key of the request (`ForAllValues`)."""

import fnmatch
import unittest

from processed import process
from reading import as_list
from test_rules import ALL_ON

STATE, REQUEST, COURSE, PERSON = "line#course/acme:1", "ingest#acme:e-1", "discovery#course/acme:1", "discovery#instructor/acme:p"
RECORD, ENTITY, OTHER, THEIRS = "mailchimp", "mailchimp#customer/1", "webhook", "webhook#customer/1"

# who, action, partition keys of one request, whether it is allowed
REQUESTS = [
    ("mailchimpRole", "BatchGetItem", [ENTITY, RECORD], True),  # a batch's entities and its vendor, at once
    ("mailchimpRole", "BatchGetItem", [RECORD], True),
    ("mailchimpRole", "BatchGetItem", [ENTITY], True),
    ("mailchimpRole", "BatchGetItem", [ENTITY, OTHER], False),
    ("mailchimpRole", "BatchGetItem", [RECORD, THEIRS], False),
    ("mailchimpRole", "UpdateItem", [ENTITY], True),
    ("mailchimpRole", "UpdateItem", [RECORD], False),
    ("mailchimpRole", "UpdateItem", [THEIRS], False),
    ("mailchimpRole", "BatchWriteItem", [ENTITY, "mailchimp#2026-01-29T14#0"], True),
    ("mailchimpRole", "BatchWriteItem", [ENTITY, RECORD], False),
    ("mailchimpRole", "PutItem", [RECORD], True),
    ("mailchimpRole", "PutItem", [ENTITY], False),
    ("mailchimpRole", "PutItem", [OTHER], False),
    ("mailchimpRole", "GetItem", [RECORD], False),
    ("mailchimpRole", "DeleteItem", [RECORD], False),
    ("mailchimpRole", "PutItem", ["mailchimp2"], False),  # a vendor whose name begins alike
    ("mailchimpRole", "BatchGetItem", ["mailchimp2#customer/1"], False),
    ("WakerRole", "GetItem", [RECORD], True),
    ("WakerRole", "GetItem", [OTHER], True),
    ("WakerRole", "GetItem", [ENTITY], False),
    ("WakerRole", "PutItem", [RECORD], False),
    ("IngestRole", "GetItem", [STATE], True),
    ("IngestRole", "PutItem", [REQUEST], True),
    ("IngestRole", "UpdateItem", [STATE], False),
    ("IngestRole", "PutItem", [STATE], True),
    ("IngestRole", "DeleteItem", [STATE], False),
    ("IngestRole", "Query", [STATE], False),
    ("IngestRole", "GetItem", [PERSON], True),
    ("IngestRole", "GetItem", [COURSE], True),
    ("IngestRole", "GetItem", [ENTITY], False),
    ("IngestRole", "GetItem", ["discovery"], False),  # circuit and pause are not its business
    ("IngestRole", "UpdateItem", [COURSE], False),
    ("IngestRole", "PutItem", [COURSE], False),
    ("IngestRole", "PutItem", [RECORD], False),
    ("discoveryRole", "GetItem", [STATE], True),
    ("discoveryRole", "GetItem", [REQUEST], False),
    ("discoveryRole", "PutItem", [STATE], False),
    ("discoveryRole", "UpdateItem", [STATE], False),
    ("discoveryRole", "UpdateItem", [COURSE], True),
    ("mailchimpRole", "GetItem", [STATE], False),
]  # fmt: skip


def statements(t, role):
    own = [p["PolicyDocument"] for p in t.properties(role).get("Policies", [])]
    attached = [p["PolicyDocument"] for _, p in t.of("IAM::Policy") if f"ref:{role}" in p.get("Roles", [])]
    return [s for document in own + attached for s in document["Statement"] if s["Resource"] == "att:Ledger.Arn"]


def applies(statement, action, keys):
    if f"dynamodb:{action}" not in as_list(statement["Action"]):
        return False
    for operator, condition in statement.get("Condition", {}).items():
        patterns = condition["dynamodb:LeadingKeys"]
        matches = {"ForAllValues:StringEquals": str.__eq__, "ForAllValues:StringLike": fnmatch.fnmatchcase}[operator]
        if not all(any(matches(key, pattern) for pattern in patterns) for key in keys):
            return False
    return True


class LedgerKeys(unittest.TestCase):
    def test_without_lines_callers_are_counted_and_no_more(self):
        t = process(IngestApi="iam")
        for role, action, keys, _ in REQUESTS:
            if role == "IngestRole":
                with self.subTest(action=action, keys=keys):
                    self.assertFalse(any(applies(s, action, keys) for s in statements(t, role)))
        self.assertTrue(any(applies(s, "UpdateItem", ["ingest#calls#c#1"]) for s in statements(t, "IngestRole")))

    def test_each_request_that_is_made_is_allowed_and_no_other(self):
        t = process(**ALL_ON)
        for role, action, keys, allowed in REQUESTS:
            with self.subTest(role=role, action=action, keys=keys):
                effects = {s["Effect"] for s in statements(t, role) if applies(s, action, keys)}
                self.assertEqual(effects == {"Allow"}, allowed)


if __name__ == "__main__":
    unittest.main()
