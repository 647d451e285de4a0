"""The launcher itself: what it starts, what it refuses, and that nothing outlives it."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from urllib.parse import urlparse

import boto3
from support import LAUNCHER, LOCAL, CloudTest, is_alive, wait_for

sys.path.insert(0, str(LOCAL))
import patches  # noqa: E402

# A parent that starts the launcher, says what it said, and waits to be killed.
PARENT = """
import subprocess, sys
launcher = subprocess.Popen(sys.argv[1:], stdin={stdin}, stdout=subprocess.PIPE)
print(launcher.stdout.readline().decode().strip(), flush=True)
launcher.wait()
"""


def emulator_pid(cloud):
    """The emulator is the parent of its functions."""
    stat = Path(f"/proc/{next(iter(cloud.function_pids()))}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def launch(*options, environment=None):
    return subprocess.run(
        [sys.executable, "-B", LAUNCHER, *options],
        env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
    )


class NothingOutlivesIt(CloudTest):
    def with_functions(self):
        """A cloud that runs two functions, one of them in the middle of a message."""
        cloud = self.cloud()
        cloud.send(cloud.worker(), "group", name="finished")
        cloud.send(cloud.worker(), "group", name="unfinished", gate=str(cloud.state / "never"))
        wait_for(lambda: cloud.notes(done="finished") and cloud.notes(name="unfinished"), "both functions at work")
        pids = {emulator_pid(cloud), *cloud.function_pids()}
        self.assertEqual(len(pids), 3)
        return cloud, pids

    def assert_gone(self, pids):
        wait_for(lambda: not any(map(is_alive, pids)), "emulator and functions ended")

    def test_sigterm_and_sigint_end_it_with_its_functions(self):
        for number in signal.SIGTERM, signal.SIGINT:
            with self.subTest(number):
                cloud, pids = self.with_functions()
                os.kill(cloud.ready["pid"], number)
                self.assertEqual(cloud.process.wait(20), 0)
                self.assert_gone(pids)

    def test_a_closed_stdin_ends_it(self):
        cloud, pids = self.with_functions()
        cloud.process.stdin.close()
        self.assertEqual(cloud.process.wait(20), 0)
        self.assert_gone(pids)

    def test_a_killed_launcher_leaves_nothing(self):
        cloud, pids = self.with_functions()
        cloud.process.kill()
        self.assert_gone(pids)

    def test_a_killed_emulator_ends_it_with_a_reason(self):
        cloud, pids = self.with_functions()
        os.kill(emulator_pid(cloud), signal.SIGKILL)
        self.assertEqual(cloud.process.wait(20), 1)
        self.assert_gone(pids)

    def test_it_ends_when_its_parent_is_killed(self):
        for stdin in "subprocess.PIPE", "subprocess.DEVNULL":
            with self.subTest(stdin), tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, "-B", LAUNCHER, "--with-parent", "--state", folder]
                parent = subprocess.Popen(
                    [sys.executable, "-c", PARENT.format(stdin=stdin), *command], stdout=subprocess.PIPE
                )
                with parent, parent.stdout:
                    pid = json.loads(parent.stdout.readline())["pid"]
                    self.assertTrue(is_alive(pid))
                    parent.kill()
                    wait_for(lambda: not is_alive(pid), "the launcher ended")


class WhatItStarts(CloudTest):
    def test_two_stand_side_by_side(self):
        first, second = self.cloud(), self.cloud()
        self.assertNotEqual(first.endpoint, second.endpoint)
        url = first.worker()
        first.send(url, "group", name="first")
        wait_for(lambda: first.notes(done="first"), "the first one's function called")
        self.assertEqual(second.client("sqs").list_queues().get("QueueUrls", []), [])
        self.assertEqual(second.notes(), [])

    def test_it_listens_on_the_loopback_only(self):
        port = urlparse(self.cloud().endpoint).port
        listening = [
            line.split()[1] for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
            if line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
        ]
        self.assertEqual(listening, [f"0100007F:{port:04X}"])

    def test_functions_see_the_endpoint_and_nothing_of_the_hosts_aws_settings(self):
        host = {"AWS_PROFILE": "production", "AWS_ENDPOINT_URL": "https://elsewhere", "HTTP_PROXY": "http://127.0.0.1:9"}
        cloud = self.cloud(environment=host)
        cloud.send(cloud.worker(), "group", name="message")
        [note] = wait_for(lambda: cloud.notes(started=True), "the function started")
        self.assertEqual(note["environment"]["AWS_ENDPOINT_URL"], cloud.endpoint)
        self.assertFalse({"AWS_PROFILE", "HTTP_PROXY"} & set(note["environment"]))

    def test_auth_enforces_roles(self):
        cloud = self.cloud("--auth")
        sqs = cloud.client_allowed("sqs")
        with self.assertRaisesRegex(sqs.exceptions.ClientError, "AccessDenied"):
            sqs.list_queues()

    def test_forty_invocations_of_one_function_run_at_once(self):
        cloud = self.cloud()
        queue, arn = cloud.queue(VisibilityTimeout="60")
        cloud.mapping(arn, cloud.function(timeout=60), ScalingConfig={"MaximumConcurrency": 40})
        gate = Path(cloud.folder.name) / "gate"
        for number in range(40):
            cloud.send(queue, f"group {number}", name=number, gate=str(gate))
        wait_for(lambda: len(cloud.notes(name=...)) == 40, "forty messages taken", seconds=60)
        self.assertEqual(len(cloud.function_pids()), 40, "each in a process of its own")
        gate.touch()
        wait_for(lambda: cloud.messages(queue) == 0, "all handled")


class WhatItRefuses(CloudTest):
    def test_another_version_of_the_emulator(self):
        with tempfile.TemporaryDirectory() as folder:
            package = Path(folder) / "ministack-9.9.9.dist-info"
            package.mkdir()
            (package / "METADATA").write_text("Metadata-Version: 2.1\nName: ministack\nVersion: 9.9.9\n")
            answer = launch("--state", folder, environment={"PYTHONPATH": folder})
        self.assertEqual(answer.returncode, 1)
        self.assertEqual(answer.stdout, "")
        self.assertRegex(answer.stderr, r"^Found MiniStack 9\.9\.9, expected \d+\.\d+\.\d+: .*`make setup`.*\n$")

    def test_a_state_folder_or_port_in_use(self):
        cloud = self.cloud()
        port = urlparse(cloud.endpoint).port
        answer = launch("--state", str(cloud.state))
        self.assertEqual(answer.returncode, 1)
        self.assertIn("belongs to a local cloud that is running", answer.stderr)
        with tempfile.TemporaryDirectory() as folder:
            answer = launch("--state", folder, "--port", str(port))
        self.assertEqual(answer.returncode, 1)
        self.assertRegex(answer.stderr, f"Cannot bind 127.0.0.1:{port}: .*--port")

    def test_a_patch_that_does_not_exist(self):
        answer = launch("--without", "gravity")
        self.assertEqual(answer.returncode, 2)
        self.assertIn("no such patch: gravity; there are queue-lock,", answer.stderr)


class Patches(unittest.TestCase):
    def test_every_patch_fits_the_pinned_emulator(self):
        for each in patches.every():
            with self.subTest(each.name):
                each.check()
                self.assertTrue(each.summary)

    def test_a_piece_that_reads_differently_or_is_gone_stops_the_start(self):
        for place, found in ("services.sqs:_dlq_sweep", r"[0-9a-f]{12}"), ("services.sqs:_gone", "absent"):
            misfit = patches.Patch("some-patch", lambda: None, {place: "000000000000"})
            with self.assertRaisesRegex(patches.Misfit, f"some-patch: .*{re.escape(place)}.* found {found}"):
                patches.apply([misfit])
