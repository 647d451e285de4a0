"""SQS: what happens to messages inside a queue."""

import functools
import inspect
import re
import threading

from . import patch

# What the emulator's receipt handles look like; anything else was never one.
_RECEIPT_HANDLE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INVALID_HANDLE = "ReceiptHandleIsInvalid"


@patch("queue-lock", {
    "services.sqs:_receive_messages_for_esm": "f230dbcd4974",
    "services.sqs:_delete_messages_for_esm": "c1686f29b48b",
    "services.sqs:_act_receive_message": "abc94f693de1",
    "services.sqs:_act_send_message": "3abd766508c8",
    "services.sqs:_act_delete_message": "8d700665e3d6",
    "services.sqs:_act_delete_message_batch": "877517c32f0f",
    "services.sqs:_act_purge_queue": "34196ea56d71",
    "services.sqs:_expire_retained": "c0da3361632b",
    "services.sqs:_dlq_sweep": "6a77691e1671",
    "services.sqs:_collect_msgs": "308a6eb1b3d4",
    "services.eventbridge:_dispatch_to_sqs": "eb75981283a2",
})
def queue_lock():
    """A message sent while a mapping deletes its batch is not lost.

    AWS: an accepted message is durable.
    MiniStack: event source mappings rebuild a queue's list on threads of their own, under a lock that the API does not
    take; a send that falls between reading the old list and storing the new one disappears. Rare with one batch at a
    time, not with ten. Here every reader and writer of a queue takes the one lock.
    """
    from ministack.services import eventbridge, sqs

    lock = threading.RLock()
    sqs._queues_lock = lock

    def locked(function):
        @functools.wraps(function)
        def holding(*args, **kwargs):
            with lock:
                return function(*args, **kwargs)

        return holding

    for action, handler in list(sqs._HANDLERS.items()):
        if not inspect.iscoroutinefunction(handler):
            sqs._HANDLERS[action] = locked(handler)
            setattr(sqs, handler.__name__, sqs._HANDLERS[action])
    # Long polling cannot hold a lock while it waits: its three steps are locked one by one.
    for step in ("_expire_retained", "_dlq_sweep", "_collect_msgs"):
        setattr(sqs, step, locked(getattr(sqs, step)))
    eventbridge._dispatch_to_sqs = locked(eventbridge._dispatch_to_sqs)


@patch("idempotent-delete", {
    "services.sqs:_act_delete_message": "8d700665e3d6",
    "services.sqs:_act_delete_message_batch": "877517c32f0f",
})
def idempotent_delete():
    """Deleting a message that is already gone is no error.

    AWS: DeleteMessage succeeds for a receipt handle whose message was deleted before. That is what lets a function
    delete a message itself and the event source mapping delete it again. (A FIFO queue refuses a handle that outlived
    its visibility timeout; this is not modelled.)
    MiniStack: ReceiptHandleIsInvalid for every handle it does not hold. Here only for what was never a handle.
    """
    from ministack.services import sqs

    delete, delete_batch = sqs._act_delete_message, sqs._act_delete_message_batch

    def deleting(data, queue_url):
        try:
            return delete(data, queue_url)
        except sqs._Err as error:
            if error.code == _INVALID_HANDLE and _RECEIPT_HANDLE.fullmatch(data.get("ReceiptHandle", "")):
                return {}
            raise

    def deleting_batch(data, queue_url):
        result = delete_batch(data, queue_url)
        handles = {entry.get("Id"): entry.get("ReceiptHandle", "") for entry in data.get("Entries", [])}
        gone = [
            failure for failure in result["Failed"]
            if failure["Code"] == _INVALID_HANDLE and _RECEIPT_HANDLE.fullmatch(handles[failure["Id"]])
        ]
        return {
            "Successful": result["Successful"] + [{"Id": failure["Id"]} for failure in gone],
            "Failed": [failure for failure in result["Failed"] if failure not in gone],
        }

    sqs._act_delete_message = sqs._HANDLERS["DeleteMessage"] = deleting
    sqs._act_delete_message_batch = sqs._HANDLERS["DeleteMessageBatch"] = deleting_batch


@patch("batch-actions", {"core.iam_actions:extract_iam_action": "ec476b92d969"})
def batch_actions():
    """With --auth, a batch request needs the permission of the single one.

    AWS: SendMessageBatch is allowed by sqs:SendMessage, and so on; there are no actions of the batches' own
    (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html).
    MiniStack: asks for sqs:SendMessageBatch, which no policy for AWS names.
    """
    from ministack.core import iam_actions

    extract = iam_actions.extract_iam_action

    def extracting(*args, **kwargs):
        action = extract(*args, **kwargs)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    iam_actions.extract_iam_action = extracting


PATCHES = (queue_lock, idempotent_delete, batch_actions)
