"""The guard ends its server with our process, whatever way that ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from msp_core.dev import _guard

# Says that its handlers stand, then waits; os.write, as a handler must not interrupt its own print.
WAITING = """
import os, signal
def say(text): os.write(1, f"{text}\\n".encode())
def ended(number, _): say(f"ended by {signal.Signals(number).name}"); os._exit(0)
for number in (signal.SIGTERM, signal.SIGINT): signal.signal(number, ended)
say(os.getpid())
while True: signal.pause()
"""
STUBBORN = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(os.getpid(), flush=True)
while True: signal.pause()
"""
Guarded = subprocess.Popen[str]


def command(
    code: str, *, stop_signal: signal.Signals, grace: float, running: str = os.devnull
) -> list[str]:
    """Return a command line of the guard; as a module, so that its lines are measured."""
    options = [str(int(stop_signal)), str(grace), "-1", "-1", running]
    return [sys.executable, "-m", "msp_core.dev._guard", *options, sys.executable, "-c", code]


@contextlib.contextmanager
def guarded(
    code: str,
    *,
    stop_signal: signal.Signals = signal.SIGTERM,
    grace: float = 30.0,
    running: str = os.devnull,
) -> Iterator[Guarded]:
    """Run a Python program as a server under its guard, as our child."""
    argv = command(code, stop_signal=stop_signal, grace=grace, running=running)
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as guard:  # noqa: S603 - our own program
        try:
            yield guard
        finally:
            guard.kill()


def said(guard: Guarded) -> str:
    """Wait for the server's next line."""
    assert guard.stdout is not None
    return guard.stdout.readline().strip()


def hang_up(guard: Guarded) -> None:
    """End the pipe as the end of our process would."""
    assert guard.stdin is not None
    guard.stdin.close()


def wait_until_gone(pid: int) -> None:
    """Wait until no process has that id, or only its corpse."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        while process.status() != psutil.STATUS_ZOMBIE:
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(0.02)
                return


def test_returns_the_servers_exit_code() -> None:
    """Who looks at the guard sees how the server ended."""
    with guarded("raise SystemExit(3)") as guard:
        assert guard.wait(30) == 3


def test_returns_128_and_the_number_of_the_signal_that_ended_the_server() -> None:
    """A killed server cannot be mistaken for one that ended well."""
    with guarded("import os; os.kill(os.getpid(), 9)") as guard:
        assert guard.wait(30) == 128 + 9


def test_names_a_server_that_cannot_run(tmp_path: Path) -> None:
    """A missing program is said in the log, not lost with the guard."""
    missing = tmp_path / "missing"
    argv = [
        sys.executable,
        "-m",
        "msp_core.dev._guard",
        "15",
        "1",
        "-1",
        "-1",
        os.devnull,
        str(missing),
    ]

    done = subprocess.run(argv, input="", capture_output=True, text=True, check=False)  # noqa: S603 - our own program

    assert done.returncode == 127
    assert f"cannot run {missing}: " in done.stderr


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT])
def test_stops_the_server_when_the_pipe_ends(stop_signal: signal.Signals) -> None:
    """The end of our process, even by SIGKILL, ends the server in the way it asked for."""
    with guarded(WAITING, stop_signal=stop_signal) as guard:
        said(guard)

        hang_up(guard)

        assert said(guard) == f"ended by {stop_signal.name}"
        assert guard.wait(30) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_stops_the_server_when_told_by_a_signal(number: signal.Signals) -> None:
    """A guard that is told to end takes its server along."""
    with guarded(WAITING) as guard:
        said(guard)

        guard.send_signal(number)

        assert said(guard) == "ended by SIGTERM"
        assert guard.wait(30) == 0


def test_kills_a_server_that_does_not_stop() -> None:
    """A server that ignores its stop signal does not stay."""
    with guarded(STUBBORN, grace=0.1) as guard:
        said(guard)

        hang_up(guard)

        assert guard.wait(30) == 128 + 9


def test_kills_what_the_server_left_behind() -> None:
    """A server's own children do not outlive it."""
    leave = "import subprocess, sys; print(subprocess.Popen(['sleep', '300']).pid, flush=True)"
    with guarded(leave) as guard:
        child = int(said(guard))

        wait_until_gone(child)

        assert guard.wait(30) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a process to its parent")
def test_server_dies_with_a_killed_guard() -> None:
    """Killing the guard, too, leaves nothing."""
    with guarded(WAITING) as guard:
        server = int(said(guard))

        guard.kill()

        wait_until_gone(server)


def test_notices_the_end_of_a_parent_whose_pipe_somebody_else_holds() -> None:
    """A child that the service forked, and that holds the pipe, does not keep the server alive."""
    argv = command(WAITING, stop_signal=signal.SIGTERM, grace=30.0)
    program = f"""
import os, subprocess
end, pipe = os.pipe()
subprocess.Popen({argv!r}, stdin=end)
holder = subprocess.Popen(["sleep", "300"], pass_fds=[pipe], stdout=subprocess.DEVNULL)
print(holder.pid, flush=True)
os.wait()
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=-1, text=True) as parent:  # noqa: S603 - our own program
        pids = sorted(int(said(parent)) for _ in range(2))
        holder = next(pid for pid in pids if psutil.Process(pid).name() == "sleep")
        (server,) = (pid for pid in pids if pid != holder)
        try:
            parent.kill()

            wait_until_gone(server)
        finally:
            os.kill(holder, signal.SIGKILL)


def test_child_of_a_guard_that_is_gone_already_does_not_start() -> None:
    """A guard killed before the tie was made leaves nothing either."""
    program = """
import os
from msp_core.dev._guard import _tie_to
_tie_to(os.getppid())()
print("tied", flush=True)
_tie_to(-1)()
"""

    argv = [sys.executable, "-c", program]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)  # noqa: S603 - our own program

    assert (done.stdout, done.returncode) == ("tied\n", 127)


def test_ties_nothing_where_only_linux_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS the pipe alone ends the server."""
    monkeypatch.setattr(sys, "platform", "darwin")
    tie: Callable[[], None] | None = _guard._tie_to(os.getpid())

    assert tie is None


def test_server_runs_on_while_others_use_it(tmp_path: Path) -> None:
    """Who joined keeps the server after its owner is gone; it stops when the last one leaves."""
    running = tmp_path / "running"
    running.write_text("variables")
    with guarded(WAITING, running=str(running)) as guard, running.open() as user:
        fcntl.flock(user, fcntl.LOCK_SH)
        said(guard)

        hang_up(guard)
        with pytest.raises(subprocess.TimeoutExpired):
            guard.wait(1.0)
        user.close()

        assert said(guard) == "ended by SIGTERM"
        assert guard.wait(30) == 0


@pytest.mark.parametrize("told", [None, ""], ids=["no file", "told nobody"])
def test_server_that_nobody_was_told_of_has_no_users(tmp_path: Path, told: str | None) -> None:
    """It stops with its owner."""
    running = tmp_path / "running"
    if told is not None:
        running.write_text(told)
    with guarded(WAITING, running=str(running)) as guard:
        said(guard)

        hang_up(guard)

        assert guard.wait(30) == 0


def test_needs_nothing_but_the_standard_library() -> None:
    """It runs with `-I -S`, where neither this package nor any other can be imported."""
    names = runpy.run_path(_guard.__file__)
    modules = {value.__name__ for value in names.values() if hasattr(value, "__spec__")}

    assert modules <= {"contextlib", "fcntl", "os", "select", "signal", "subprocess", "sys"}
