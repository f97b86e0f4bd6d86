"""Guard: the parent of one dev server, which stops it when our process is gone.

A script of its own, standard library only, run as `python -I -S _guard.py` in its own session, so
that a terminal's Ctrl-C does not reach the server. Its standard input is a pipe that our process
holds open and never writes to: the pipe ends when our process ends, even by `kill -9`. Who else
uses the server holds a shared lock on the file `running`, which ends in the same way.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

_PR_SET_PDEATHSIG = 1
_CANNOT_RUN = 127
_LOOK_AGAIN = 1.0  # seconds between two looks at who our parent is
_USERS_LOOK = 0.1  # seconds between two looks at whether anybody uses the server


def main(arguments: Sequence[str]) -> int:
    """Run a server until it ends, nobody uses it any more, or a signal asks to stop.

    Our process uses it while the pipe on standard input is open.

    Args:
        arguments: stop signal (number), grace (seconds between it and SIGKILL), user and group the
            server runs as (ids, -1 for ours), file that others lock, then the server's command
            line.

    Returns:
        The server's exit code; 128 + signal number when a signal ended it; 127 when it cannot run.
    """
    stop_signal, grace, user, group, running, *command = arguments
    asked_to_stop = _watch(running)
    try:
        server = _start(command, user=int(user), group=int(group))
    except (OSError, subprocess.SubprocessError) as error:
        print(f"cannot run {command[0]}: {error}", file=sys.stderr)  # noqa: T201 - goes to the log
        return _CANNOT_RUN
    while server.poll() is None and not asked_to_stop():
        pass
    return _stop(server, signal.Signals(int(stop_signal)), float(grace))


def _watch(running: str) -> Callable[[], bool]:
    """Return a function that waits for the next event and returns whether it asks to stop."""
    parent = os.getppid()
    events, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)

    left = False

    def asked_to_stop() -> bool:
        nonlocal left
        sources, seconds = ([events], _USERS_LOOK) if left else ([0, events], _LOOK_AGAIN)
        readable, _, _ = select.select(sources, [], [], seconds)
        if events in readable and set(os.read(events, 512)) != {signal.SIGCHLD}:
            return True
        # A child that our process forked may hold the pipe open beyond our process's end.
        left = left or 0 in readable or os.getppid() != parent
        return left and not _is_used(running)

    return asked_to_stop


def _is_used(running: str) -> bool:
    """Return whether others use the server; once nobody does, nobody can begin to."""
    try:
        descriptor = os.open(running, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        # An empty file: nobody else knows of the server. Else the lock is kept until we end.
        if os.read(descriptor, 1):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return True
    return False


def _start(command: Sequence[str], *, user: int, group: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - the command comes from our own process
        command,
        stdin=subprocess.DEVNULL,
        process_group=0,
        user=None if user < 0 else user,
        group=None if group < 0 else group,
        extra_groups=None if user < 0 else [],
        preexec_fn=_tie_to(os.getpid()),  # noqa: PLW1509 - this process has one thread
    )


def _tie_to(guard: int) -> Callable[[], None] | None:
    """Return what makes Linux kill a new child when its parent, the guard, is killed."""
    if sys.platform != "linux":
        return None
    import ctypes  # noqa: PLC0415 - only Linux needs it; the child's user may not be able to read it

    prctl = ctypes.CDLL(None).prctl

    def die_with_guard() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard:
            os._exit(_CANNOT_RUN)

    return die_with_guard


def _stop(server: subprocess.Popen[bytes], stop_signal: signal.Signals, grace: float) -> int:
    if server.poll() is None:
        server.send_signal(stop_signal)
    try:
        code = server.wait(grace)
    except subprocess.TimeoutExpired:
        server.kill()
        code = server.wait()
    # What the server started and left behind; macOS refuses where only a zombie is left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, signal.SIGKILL)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
