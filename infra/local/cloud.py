"""The local cloud: MiniStack, made as strict as AWS where it matters here, for `make demo`, `make up` and the tests.

    .venv/cloud/bin/python infra/local/cloud.py --port 0 --state .local/cloud

When the emulator answers, one JSON line on stdout says where: {"endpoint":"http://127.0.0.1:40123","pid":4711,"log":…}.
SIGTERM, SIGINT or SIGHUP to that pid ends the emulator and every function process it started. What is patched and why
stands in infra/local/README.md.
"""

import argparse
import contextlib
import fcntl
import importlib.metadata
import json
import os
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import patches

HERE = Path(__file__).resolve().parent
# Functions are child processes of the emulator and see its environment; nothing else of the host's passes, above all no
# AWS credentials, profiles or proxies.
PASSED_ON = ("PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "LLVM_PROFILE_FILE")
READY_SECONDS = 60
STOP_SECONDS = 10


def main() -> int:
    arguments = _arguments()
    if arguments.list_patches:
        for each in patches.every():
            print(f"{each.name:24} {each.summary}")
        return 0
    _require_pinned_version()
    state = arguments.state.resolve()
    for part in ("tmp", "state", "s3"):
        (state / part).mkdir(parents=True, exist_ok=True)
    with _only_user_of(state), _bound(arguments.port) as listener:
        return Launcher(arguments, state, listener).run()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one (default)")
    parser.add_argument("--state", type=Path, default=Path(".local/cloud"), metavar="DIR", help="log and temporary files")
    parser.add_argument("--auth", action="store_true", help="enforce roles and queue policies")
    parser.add_argument("--with-parent", action="store_true", help="stop when the parent dies or closes our stdin (if a pipe)")
    parser.add_argument("--without", action="append", default=[], metavar="PATCH", help="leave this patch out (repeatable)")
    parser.add_argument("--duplicate", type=float, default=0.0, metavar="SHARE", help="share of deliveries to queues made twice")
    parser.add_argument("--seed", type=int, default=0, help="which deliveries --duplicate picks")
    parser.add_argument("--list-patches", action="store_true", help="name the patches and exit")
    arguments = parser.parse_args()
    if unknown := set(arguments.without) - set(patches.names()):
        parser.error(f"no such patch: {', '.join(sorted(unknown))}; there are {', '.join(patches.names())}")
    if not 0 <= arguments.duplicate <= 1:
        parser.error("--duplicate takes a share between 0 and 1")
    return arguments


def _require_pinned_version() -> None:
    requirements = (HERE / "requirements-cloud.txt").read_text()
    expected = re.search(r"^ministack\S*==(\S+)", requirements, re.MULTILINE)[1]
    try:
        found = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        sys.exit(f"MiniStack is not installed for {sys.executable}; run `make setup` and use .venv/cloud/bin/python.")
    if found != expected:
        sys.exit(
            f"Found MiniStack {found}, expected {expected}: the patches hold for that version only. "
            "Run `make setup`, or mend infra/local/patches and the pin in infra/local/requirements-cloud.txt together."
        )


@contextlib.contextmanager
def _only_user_of(state: Path):
    with open(state / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"{state} belongs to a local cloud that is running; stop that one or choose another --state.")
        yield


@contextlib.contextmanager
def _bound(port: int):
    """Bound here and handed on, so that a free port cannot be taken in between."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            sys.exit(f"Cannot bind 127.0.0.1:{port}: {error.strerror}. Choose another --port, or 0 for a free one.")
        yield listener


class Launcher:
    """Starts the emulator, watches over it and its parent, and ends it with all its functions."""

    def __init__(self, arguments: argparse.Namespace, state: Path, listener: socket.socket) -> None:
        self.arguments = arguments
        self.state = state
        self.listener = listener
        self.port = listener.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.stopping = False
        self.parent = os.getppid()
        # A terminal or /dev/null as stdin says nothing about the parent.
        mode = os.fstat(0).st_mode
        self.stdin_tells = arguments.with_parent and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._stop)
        emulator, lifeline = self._start()
        try:
            return self._watch(emulator)
        finally:
            self._end(emulator, lifeline)

    def _stop(self, *_) -> None:
        self.stopping = True

    def _start(self) -> tuple[subprocess.Popen, int]:
        shutil.rmtree(self.state / "tmp")
        (self.state / "tmp").mkdir()
        read, write = os.pipe()
        command = [sys.executable, "-B", HERE / "emulator.py", f"--socket={self.listener.fileno()}", f"--lifeline={read}"]
        command += [f"--without={name}" for name in self.arguments.without]
        command += [f"--duplicate={self.arguments.duplicate}", f"--seed={self.arguments.seed}"]
        with open(self.state / "log", "w") as log:
            emulator = subprocess.Popen(
                command,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(self.listener.fileno(), read),
                start_new_session=True,
            )
        os.close(read)
        self.listener.close()
        return emulator, write

    def _environment(self) -> dict[str, str]:
        return {name: os.environ[name] for name in PASSED_ON if name in os.environ} | {
            # Without it functions in Rust would call the real AWS.
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AUTH": str(self.arguments.auth).lower(),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",  # the host in queue URLs; a name could resolve to ::1
            "GATEWAY_PORT": str(self.port),
            "TMPDIR": str(self.state / "tmp"),
            "STATE_DIR": str(self.state / "state"),
            "S3_DATA_DIR": str(self.state / "s3"),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "LAMBDA_EXECUTOR": "local",
            # No Docker here, and none of the host's containers for the emulator to tidy up.
            "DOCKER_HOST": f"unix://{self.state}/no-docker.sock",
            "PYTHONUNBUFFERED": "1",
        }

    def _watch(self, emulator: subprocess.Popen) -> int:
        announced, deadline = False, time.monotonic() + READY_SECONDS
        while not self.stopping:
            if emulator.poll() is not None:
                return self._failed(f"the emulator ended with code {emulator.returncode}")
            if not announced and self._is_ready():
                answer = {"endpoint": self.endpoint, "pid": os.getpid(), "log": str(self.state / "log")}
                print(json.dumps(answer, separators=(",", ":")), flush=True)
                announced = True
            if not announced and time.monotonic() > deadline:
                return self._failed(f"the emulator was not ready within {READY_SECONDS} s")
            if self._parent_is_gone(wait=0.1 if announced else 0.02):
                break
        return 0

    def _parent_is_gone(self, wait: float) -> bool:
        if not self.stdin_tells:
            time.sleep(wait)
        elif select.select([0], [], [], wait)[0] and not os.read(0, 4096):
            return True
        return self.arguments.with_parent and os.getppid() != self.parent

    def _is_ready(self) -> bool:
        # Asked directly: a proxy from the environment must not come between.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.endpoint}/_ministack/ready", timeout=2) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def _failed(self, what: str) -> int:
        tail = (self.state / "log").read_text(errors="replace").splitlines()[-15:]
        print(f"The local cloud failed: {what}. The end of {self.state / 'log'}:", *tail, sep="\n", file=sys.stderr)
        return 1

    @staticmethod
    def _end(emulator: subprocess.Popen, lifeline: int) -> None:
        os.close(lifeline)
        with contextlib.suppress(subprocess.TimeoutExpired):
            emulator.wait(STOP_SECONDS)
        # Function processes share the emulator's group and may have outlived it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(emulator.pid, signal.SIGKILL)
        emulator.wait()


if __name__ == "__main__":
    sys.exit(main())
