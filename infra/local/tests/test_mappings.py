"""Each patch on event source mappings: what AWS does with it, what the bare emulator does without."""

import json
import statistics
import time
from pathlib import Path

from botocore.exceptions import ClientError
from support import CloudTest, wait_for


def poller_has_passed(cloud, sentinel):
    """Wait until the poller has looked at every mapping made before the sentinel's since this call.

    It goes through the mappings in the order of their creation: the second message proves a whole round.
    """
    for _ in range(2):
        before = len(cloud.notes(done="sentinel"))
        cloud.send(sentinel, "sentinel", name="sentinel")
        wait_for(lambda: len(cloud.notes(done="sentinel")) > before, "the sentinel's message handled")


class FifoConcurrency(CloudTest):
    def start_a_slow_and_a_quick_group(self, *options):
        cloud = self.cloud(*options)
        queue, sentinel = cloud.worker(), cloud.worker()
        gate = Path(cloud.folder.name) / "gate"
        cloud.send(queue, "slow", name="slow 1", gate=str(gate))
        cloud.send(queue, "slow", name="slow 2")
        wait_for(lambda: cloud.notes(name="slow 1"), "the slow message taken")
        cloud.send(queue, "quick", name="quick")
        return cloud, queue, sentinel, gate

    def test_a_slow_group_holds_up_no_other_and_keeps_its_own_order(self):
        cloud, queue, sentinel, gate = self.start_a_slow_and_a_quick_group()
        wait_for(lambda: cloud.notes(done="quick"), "the quick group handled beside the slow one")
        poller_has_passed(cloud, sentinel)
        self.assertEqual(cloud.notes(name="slow 2"), [], "one group in two invocations")
        gate.touch()
        wait_for(lambda: cloud.messages(queue) == 0, "the queue empty")
        done = [note["done"] for note in cloud.notes(done=...)]
        self.assertLess(done.index("slow 1"), done.index("slow 2"))

    def test_no_more_batches_than_the_maximum_concurrency(self):
        cloud = self.cloud()
        queue = cloud.worker(ScalingConfig={"MaximumConcurrency": 2})
        sentinel = cloud.worker()
        gate = Path(cloud.folder.name) / "gate"
        for group in ("a", "b", "c"):
            cloud.send(queue, group, name=group, gate=str(gate))
        wait_for(lambda: len(cloud.notes(name=...)) == 2, "two batches in flight")
        poller_has_passed(cloud, sentinel)
        self.assertEqual(cloud.notes(name="c"), [])
        gate.touch()
        wait_for(lambda: cloud.notes(done="c"), "the third batch after the first")

    def test_without_the_patch_a_slow_group_holds_up_the_others(self):
        cloud, _, sentinel, gate = self.start_a_slow_and_a_quick_group("--without", "fifo-concurrency")
        poller_has_passed(cloud, sentinel)
        self.assertEqual(cloud.notes(name="quick"), [])
        gate.touch()
        wait_for(lambda: cloud.notes(done="quick"), "the quick group after the slow one")


class StrictBatchResponse(CloudTest):
    # answer: (deliveries as on AWS, deliveries of the bare emulator); two deliveries mean that the batch failed.
    ANSWERS = {
        '{"batchItemFailures": [{"itemIdentifier": ""}]}': (2, 1),
        '{"batchItemFailures": [{"itemIdentifier": null}]}': (2, 1),
        '{"batchItemFailures": [{"itemIdentifier": "unknown"}]}': (2, 1),
        '{"batchItemFailures": [{"id": "wrong key"}]}': (2, 1),
        '{"batchItemFailures": {}}': (2, 1),
        '"a string"': (2, 1),
        "no JSON": (2, 1),
        '{"batchItemFailures": null}': (1, 2),
        '{"batchItemFailures": []}': (1, 1),
        "{}": (1, 1),
        "null": (1, 1),
    }

    def deliveries(self, *options):
        cloud = self.cloud(*options)
        url, arn = cloud.queue(VisibilityTimeout="5")
        cloud.mapping(arn, cloud.function(), FunctionResponseTypes=["ReportBatchItemFailures"])
        for number, answer in enumerate(self.ANSWERS):
            cloud.send(url, f"group {number}", name=answer, answer=answer)
        wait_for(lambda: cloud.messages(url) == 0, "all messages handled")
        return {answer: len(cloud.notes(name=answer)) for answer in self.ANSWERS}

    def test_a_malformed_answer_fails_the_batch_and_an_empty_one_does_not(self):
        self.assertEqual(self.deliveries(), {answer: aws for answer, (aws, _) in self.ANSWERS.items()})

    def test_without_the_patch_a_malformed_answer_deletes_the_batch(self):
        bare = self.deliveries("--without", "strict-batch-response")
        self.assertEqual(bare, {answer: emulator for answer, (_, emulator) in self.ANSWERS.items()})


class NoPauseAfterFailure(CloudTest):
    def after_a_failure(self, *options):
        cloud = self.cloud(*options)
        url, arn = cloud.queue(VisibilityTimeout="30")
        mapping = cloud.mapping(arn, cloud.function())
        sentinel = cloud.worker()
        poller_has_passed(cloud, sentinel)  # its function has started, so it answers at once from here on
        cloud.send(url, "failing", name="failing", fail=True)
        wait_for(
            lambda: cloud.client("lambda").get_event_source_mapping(UUID=mapping)["LastProcessingResult"] == "FAILED",
            "the failure noticed",
        )
        cloud.send(url, "healthy", name="healthy")
        poller_has_passed(cloud, sentinel)
        return cloud

    def test_other_groups_go_on_at_once(self):
        cloud = self.after_a_failure()
        [healthy] = wait_for(lambda: cloud.notes(name="healthy"), "the healthy group handled")
        [failing] = cloud.notes(name="failing")
        self.assertLess(healthy["at"] - failing["at"], 1, "the bare emulator's pause")

    def test_without_the_patch_the_whole_mapping_pauses(self):
        cloud = self.after_a_failure("--without", "no-pause-after-failure")
        self.assertEqual(cloud.notes(name="healthy"), [])
        wait_for(lambda: cloud.notes(done="healthy"), "the healthy group handled after the pause")


class Latency(CloudTest):
    def latency(self, cloud, queue, unmapped):
        """Seconds from a send to its invocation, just after the poller was woken for nothing."""
        number = len(cloud.notes(done=...))
        cloud.client("sqs").send_message(QueueUrl=unmapped, MessageBody="wakes the poller")
        sent = time.time()
        cloud.send(queue, "group", name=f"message {number}")
        [note] = wait_for(lambda: cloud.notes(name=f"message {number}"), "the message taken")
        wait_for(lambda: cloud.messages(queue) == 0, "the message deleted")
        return note["at"] - sent

    def assert_adds_milliseconds(self, patch, least):
        """That events reach their function this much later without the patch, side by side on the same machine."""
        clouds = []
        for options in (), ("--without", patch):
            cloud = self.cloud(*options)
            clouds.append((cloud, cloud.worker(), cloud.queue(fifo=False)[0], []))
        for _ in range(7):
            for cloud, queue, unmapped, latencies in clouds:
                latencies.append(self.latency(cloud, queue, unmapped))
        patched, bare = (statistics.median(latencies) * 1000 for *_, latencies in clouds)
        self.assertGreater(bare - patched, least)

    def test_without_prompt_poll_a_look_for_nothing_delays_the_next(self):
        self.assert_adds_milliseconds("prompt-poll", least=15)

    def test_without_prompt_runtime_api_every_event_waits_for_an_acknowledgement(self):
        self.assert_adds_milliseconds("prompt-runtime-api", least=15)


class MappingValidation(CloudTest):
    def attempts(self, cloud):
        """Ways to make a mapping that AWS refuses."""
        function = cloud.function(timeout=60)
        _, arn = cloud.queue(VisibilityTimeout="60")
        _, short = cloud.queue(VisibilityTimeout="59")
        return {
            "visibility timeout below the function's": lambda: cloud.mapping(short, function),
            "more than ten of a FIFO queue": lambda: cloud.mapping(arn, function, BatchSize=11),
            "batching window on a FIFO queue": lambda: cloud.mapping(arn, function, MaximumBatchingWindowInSeconds=1),
            "no such queue": lambda: cloud.mapping(arn.replace("queue-", "missing-"), function),
            "update": lambda: cloud.client("lambda").update_event_source_mapping(
                UUID=cloud.mapping(arn, function), BatchSize=11
            ),
        }

    def deploy(self, cloud, batch_size):
        url, arn = cloud.queue(VisibilityTimeout="60")
        mapping = {"EventSourceArn": arn, "FunctionName": cloud.function(), "BatchSize": batch_size}
        template = {"Resources": {"Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping}}}
        formation = cloud.client("cloudformation")
        formation.create_stack(StackName="stack", TemplateBody=json.dumps(template))

        def settled():
            status = formation.describe_stacks(StackName="stack")["Stacks"][0]["StackStatus"]
            return status if not status.endswith("IN_PROGRESS") else None

        return wait_for(settled, "the stack settled")

    def test_what_aws_refuses_is_refused(self):
        cloud = self.cloud()
        for name, attempt in self.attempts(cloud).items():
            with self.subTest(name), self.assertRaisesRegex(ClientError, "InvalidParameterValueException"):
                attempt()
        with self.subTest("CloudFormation"):
            self.assertEqual(self.deploy(cloud, batch_size=11), "ROLLBACK_COMPLETE")

    def test_without_the_patch_all_of_it_is_accepted(self):
        cloud = self.cloud("--without", "mapping-validation")
        for attempt in self.attempts(cloud).values():
            attempt()
        self.assertEqual(self.deploy(cloud, batch_size=11), "CREATE_COMPLETE")
