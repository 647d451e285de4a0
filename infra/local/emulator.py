"""The emulator process: MiniStack with the patches, on a socket and a lifeline that cloud.py hands it.

Not started by hand. Its environment is the one that all function processes inherit, so cloud.py composes it.
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import threading

import patches


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=int, required=True, help="descriptor of the bound socket")
    parser.add_argument("--lifeline", type=int, required=True, help="descriptor that closes when the launcher is gone")
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--duplicate", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    chosen = [each for each in patches.every() if each.name not in arguments.without]
    if arguments.duplicate:
        from patches.bus import duplicates

        chosen.append(duplicates(arguments.duplicate, arguments.seed))
    try:
        patches.apply(chosen)
    except patches.Misfit as misfit:
        sys.exit(str(misfit))
    print("patches:", ", ".join(each.name for each in chosen), flush=True)
    _raise_descriptor_limit()
    asyncio.run(_serve(arguments.socket, arguments.lifeline))
    _end_group()


async def _serve(socket: int, lifeline: int) -> None:
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app
    from ministack.core import lambda_runtime

    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    threading.Thread(target=_follow, args=(lifeline, loop, stopping), daemon=True).start()

    config = Config()
    config.bind = [f"fd://{socket}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1
    await serve(app, config, shutdown_trigger=stopping.wait)
    lambda_runtime.reset()


def _follow(lifeline: int, loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    """The launcher only ever closes its end; it need not be alive to do so."""
    with contextlib.suppress(OSError):
        os.read(lifeline, 1)
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(stopping.set)
    # Whatever hangs in the orderly way out, nothing is left behind.
    threading.Timer(8, _end_group).start()


def _end_group() -> None:
    """End this process and every function process, which all share its process group."""
    sys.stdout.flush()
    os.killpg(0, signal.SIGKILL)


def _raise_descriptor_limit() -> None:
    """Every function process costs a few descriptors here; the usual soft limit is 1024."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
