"""What the tests share: a local cloud of their own, a function that obeys its messages, and waiting for conditions."""

import contextlib
import functools
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import zipfile
from pathlib import Path

import boto3
from botocore.config import Config

LOCAL = Path(__file__).resolve().parent.parent
LAUNCHER = LOCAL / "cloud.py"
SESSION = boto3.Session()
_numbers = itertools.count(1)


def wait_for(condition, what, seconds=20):
    """The first true value of `condition`."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        threading.Event().wait(0.01)
    return value


def is_alive(pid):
    """Whether the process runs; one that ended and was not yet reaped does not."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


class Cloud:
    """One started launcher. Ends with its test, or with the test process."""

    def __init__(self, *options, state=None, environment=None):
        self.folder = tempfile.TemporaryDirectory()
        self.state = Path(state or self.folder.name) / "state"
        self.notes_file = Path(self.folder.name) / "notes"
        self.notes_file.touch()
        self.process = subprocess.Popen(
            [sys.executable, "-B", LAUNCHER, "--state", self.state, "--with-parent", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )
        line = self.process.stdout.readline()
        if not line:
            self.close()
            raise AssertionError("the launcher ended before it was ready")
        self.ready = json.loads(line)
        self.endpoint = self.ready["endpoint"]

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.process.stdin.close()
        self.process.stdout.close()
        self.folder.cleanup()

    @functools.cache
    def client(self, service):
        return SESSION.client(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 0}, proxies={}),
        )

    def client_allowed(self, service, *actions):
        """A client of a new user who may do nothing but these actions."""
        name, iam = f"user-{next(_numbers)}", self.client("iam")
        iam.create_user(UserName=name)
        if actions:
            statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return SESSION.client(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            config=Config(retries={"max_attempts": 0}, proxies={}),
        )

    def queue(self, fifo=True, **attributes):
        """A new queue, deduplicating by content if FIFO and not told otherwise; answers (url, arn)."""
        if fifo:
            attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true", **attributes}
        name = f"queue-{next(_numbers)}" + (".fifo" if fifo else "")
        url = self.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, f"arn:aws:sqs:us-east-1:000000000000:{name}"

    def messages(self, url):
        """How many messages a queue holds, in flight or not."""
        counts = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return sum(int(counts[f"ApproximateNumberOfMessages{kind}"]) for kind in ("", "NotVisible", "Delayed"))

    def function(self, timeout=5):
        """A function that obeys its messages (see `bootstrap`); answers its name."""
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr = 0o755 << 16
            code = (LOCAL / "tests" / "bootstrap").read_text()
            archive.writestr(entry, f"#!{sys.executable} -ES\n{code}")
        name = f"function-{next(_numbers)}"
        trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        self.client("lambda").create_function(
            FunctionName=name,
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role=role,
            Timeout=timeout,
            Code={"ZipFile": package.getvalue()},
            Environment={"Variables": {"NOTES": str(self.notes_file)}},
        )
        return name

    def mapping(self, arn, function, **settings):
        settings = {"BatchSize": 1, "ScalingConfig": {"MaximumConcurrency": 10}, **settings}
        return self.client("lambda").create_event_source_mapping(
            EventSourceArn=arn, FunctionName=function, **settings
        )["UUID"]

    def worker(self, **settings):
        """A FIFO queue with a function behind it; answers the queue's url."""
        url, arn = self.queue(VisibilityTimeout="30")
        self.mapping(arn, self.function(), **settings)
        return url

    def send(self, url, group, **order):
        number = str(next(_numbers))
        self.client("sqs").send_message(
            QueueUrl=url, MessageBody=json.dumps(order), MessageGroupId=group, MessageDeduplicationId=number
        )

    def notes(self, **having):
        """What functions noted, those with all the given values (or, for ..., with any value)."""
        whole = self.notes_file.read_text().rpartition("\n")[0]  # a function may be writing the last line
        lines = [json.loads(line) for line in whole.splitlines()]
        return [
            line for line in lines
            if all(key in line and value in (..., line[key]) for key, value in having.items())
        ]

    def function_pids(self):
        return {line["pid"] for line in self.notes(started=True)}


class CloudTest(unittest.TestCase):
    def cloud(self, *options, **settings):
        cloud = Cloud(*options, **settings)
        self.addCleanup(cloud.close)
        return cloud
