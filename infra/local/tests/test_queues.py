"""Each patch on SQS: what AWS does with it, what the bare emulator does without."""

import subprocess
import sys

from botocore.exceptions import ClientError
from support import LOCAL, CloudTest


class IdempotentDelete(CloudTest):
    def received(self, cloud):
        url, _ = cloud.queue()
        cloud.send(url, "group")
        [message] = cloud.client("sqs").receive_message(QueueUrl=url)["Messages"]
        return {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}

    def delete_batch(self, cloud, message):
        entry = {"Id": "1", "ReceiptHandle": message["ReceiptHandle"]}
        return cloud.client("sqs").delete_message_batch(QueueUrl=message["QueueUrl"], Entries=[entry])

    def test_a_message_can_be_deleted_again(self):
        cloud = self.cloud()
        message = self.received(cloud)
        for _ in range(2):
            cloud.client("sqs").delete_message(**message)
            self.assertEqual([each["Id"] for each in self.delete_batch(cloud, message)["Successful"]], ["1"])
        self.assertEqual(cloud.messages(message["QueueUrl"]), 0)

        never_was_a_handle = {**message, "ReceiptHandle": "made up"}
        with self.assertRaisesRegex(ClientError, "ReceiptHandleIsInvalid"):
            cloud.client("sqs").delete_message(**never_was_a_handle)
        self.assertEqual(len(self.delete_batch(cloud, never_was_a_handle)["Failed"]), 1)

    def test_without_the_patch_the_second_delete_fails(self):
        cloud = self.cloud("--without", "idempotent-delete")
        message = self.received(cloud)
        cloud.client("sqs").delete_message(**message)
        with self.assertRaisesRegex(ClientError, "ReceiptHandleIsInvalid"):
            cloud.client("sqs").delete_message(**message)
        self.assertEqual(len(self.delete_batch(cloud, message)["Failed"]), 1)


class BatchActions(CloudTest):
    def send_batch(self, *options):
        cloud = self.cloud("--auth", *options)
        url, _ = cloud.queue()
        entry = {"Id": "1", "MessageBody": "body", "MessageGroupId": "group"}
        sqs = cloud.client_allowed("sqs", "sqs:SendMessage")
        return sqs.send_message_batch(QueueUrl=url, Entries=[entry])["Successful"]

    def test_the_single_permission_suffices(self):
        self.assertEqual(len(self.send_batch()), 1)

    def test_without_the_patch_it_does_not(self):
        with self.assertRaisesRegex(ClientError, "AccessDenied"):
            self.send_batch("--without", "batch-actions")


# A send that falls exactly between a mapping's reading of the queue and its writing back. Prints what is left.
INTERLEAVED = """
import sys, threading
import patches
from patches.queues import queue_lock
from ministack.services import sqs

if "patched" in sys.argv:
    patches.apply([queue_lock])
url = sqs._act_create_queue({"QueueName": "queue"}, "")["QueueUrl"]
queue = sqs._queues[url]
send = lambda body: sqs._act_send_message({"QueueUrl": url, "MessageBody": body}, url)
send("first")
[first] = sqs._receive_messages_for_esm(url, 1)
sender = threading.Thread(target=send, args=["second"])


class Slow(list):
    def __iter__(self):
        yield from list(super().__iter__())
        sender.start()
        sender.join(0.3)


queue["messages"] = Slow(queue["messages"])
sqs._delete_messages_for_esm(url, {first["receipt_handle"]})
sender.join()
print([message["body"] for message in queue["messages"]])
"""


class QueueLock(CloudTest):
    def left(self, *arguments):
        done = subprocess.run(
            [sys.executable, "-B", "-c", INTERLEAVED, *arguments], cwd=LOCAL, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def test_a_send_beside_a_mappings_delete_is_kept(self):
        self.assertEqual(self.left("patched"), "['second']")

    def test_without_the_patch_it_is_lost(self):
        self.assertEqual(self.left(), "[]")
