"""What the roles' key conditions let through. The emulator takes them as met, so they are worked out here as IAM documents
them: one statement must allow the action for every partition key of the request (`ForAllValues`)."""

import fnmatch
import unittest

from processed import process
from rules import as_list

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
]  # fmt: skip


def statements(t, role):
    own = [p["PolicyDocument"] for p in t.properties(role).get("Policies", [])]
    attached = [p["PolicyDocument"] for _, p in t.of("IAM::Policy") if f"ref:{role}" in p.get("Roles", [])]
    return [s for document in own + attached for s in document["Statement"] if s["Resource"] == "att:Ledger.Arn"]


def allows(statement, action, keys):
    if f"dynamodb:{action}" not in as_list(statement["Action"]):
        return False
    for operator, condition in statement.get("Condition", {}).items():
        patterns = condition["dynamodb:LeadingKeys"]
        matches = {"ForAllValues:StringEquals": str.__eq__, "ForAllValues:StringLike": fnmatch.fnmatchcase}[operator]
        if not all(any(matches(key, pattern) for pattern in patterns) for key in keys):
            return False
    return True


class LedgerKeys(unittest.TestCase):
    def test_each_request_that_is_made_is_allowed_and_no_other(self):
        t = process()
        for role, action, keys, allowed in REQUESTS:
            with self.subTest(role=role, action=action, keys=keys):
                self.assertEqual(any(allows(s, action, keys) for s in statements(t, role)), allowed)


if __name__ == "__main__":
    unittest.main()
