"""Each patch on EventBridge: what AWS does with it, what the bare emulator does without."""

import json

from botocore.exceptions import ClientError
from support import CloudTest, wait_for

GROUP = {"SqsParameters": {"MessageGroupId": "intake"}}
ALLOW_EVENTS = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:events:us-east-1:000000000000:rule/allowed"}},
    }],
})


def rule(cloud, arn, name="rule", **target):
    events = cloud.client("events")
    events.put_rule(Name=name, EventPattern='{"source": ["test"]}')
    events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn, **target}])


def publish(cloud, count=1):
    details = [json.dumps({"number": number}) for number in range(count)]
    entries = [{"Source": "test", "DetailType": "Tested", "Detail": detail} for detail in details]
    for start in range(0, count, 10):
        cloud.client("events").put_events(Entries=entries[start:start + 10])


class FifoTarget(CloudTest):
    WITHOUT = ("--without", "fifo-target")

    def delivered(self, *options):
        """How many messages of three identical bodies arrive, and of one that the queue must refuse."""
        cloud = self.cloud(*options)
        cases = {
            "identical bodies": ({}, "the same"),
            "no content-based deduplication": ({"ContentBasedDeduplication": "false"}, "body"),
            "over the queue's limit": ({"MaximumMessageSize": "1024"}, "x" * 1024),
        }
        queues = {}
        for number, (name, (attributes, body)) in enumerate(cases.items()):
            queues[name], arn = cloud.queue(**attributes)
            rule(cloud, arn, name=f"rule-{number}", Input=json.dumps(body), **GROUP)
        publish(cloud, 3)
        return [cloud.messages(url) for url in queues.values()]

    def test_delivery_is_deduplicated_and_checked(self):
        self.assertEqual(self.delivered(), [1, 0, 0])

    def test_without_the_patch_everything_is_delivered(self):
        self.assertEqual(self.delivered(*self.WITHOUT), [3, 3, 3])

    def deploy_rule_without_group(self, cloud):
        _, arn = cloud.queue()
        properties = {"EventPattern": {"source": ["test"]}, "Targets": [{"Id": "queue", "Arn": arn}]}
        template = {"Resources": {"Rule": {"Type": "AWS::Events::Rule", "Properties": properties}}}
        formation = cloud.client("cloudformation")
        formation.create_stack(StackName="stack", TemplateBody=json.dumps(template))

        def settled():
            status = formation.describe_stacks(StackName="stack")["Stacks"][0]["StackStatus"]
            return status if not status.endswith("IN_PROGRESS") else None

        return wait_for(settled, "the stack settled")

    def test_a_target_without_a_group_is_refused(self):
        cloud = self.cloud()
        with self.assertRaisesRegex(ClientError, "SqsParameters must be specified"):
            rule(cloud, cloud.queue()[1])
        self.assertEqual(self.deploy_rule_without_group(cloud), "ROLLBACK_COMPLETE")

    def test_without_the_patch_a_target_without_a_group_is_accepted(self):
        cloud = self.cloud(*self.WITHOUT)
        rule(cloud, cloud.queue()[1])
        self.assertEqual(self.deploy_rule_without_group(cloud), "CREATE_COMPLETE")


class QueuePolicy(CloudTest):
    def delivered(self, *options):
        """How many messages arrive: at an open queue by the allowed rule and by another, and at a queue without policy."""
        cloud = self.cloud("--auth", *options)
        counts = []
        for name, policy in ("allowed", {"Policy": ALLOW_EVENTS}), ("other", {"Policy": ALLOW_EVENTS}), ("allowed", {}):
            url, arn = cloud.queue(**policy)
            rule(cloud, arn, name=name, **GROUP)
            publish(cloud)
            cloud.client("events").remove_targets(Rule=name, Ids=["queue"])
            counts.append(cloud.messages(url))
        return counts

    def test_only_the_rule_that_the_policy_allows_delivers(self):
        self.assertEqual(self.delivered(), [1, 0, 0])

    def test_without_the_patch_every_rule_delivers(self):
        self.assertEqual(self.delivered("--without", "queue-policy"), [1, 1, 1])


class Duplicates(CloudTest):
    def bodies(self, *options):
        cloud = self.cloud(*options)
        url, arn = cloud.queue(fifo=True)
        rule(cloud, arn, **GROUP)
        publish(cloud, 40)
        sqs, numbers = cloud.client("sqs"), []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                numbers.append(json.loads(message["Body"])["detail"]["number"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return numbers

    def test_a_seeded_share_of_events_comes_twice(self):
        first = self.bodies("--duplicate", "0.2", "--seed", "7")
        self.assertEqual(sorted(set(first)), list(range(40)), "nothing is lost")
        self.assertGreater(len(first), 40)
        self.assertLess(len(first), 60)
        self.assertEqual(self.bodies("--duplicate", "0.2", "--seed", "7"), first)

    def test_by_default_every_event_comes_once(self):
        self.assertEqual(self.bodies(), list(range(40)))
