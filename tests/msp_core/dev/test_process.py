"""A dev server is ready when it answers, says why when it does not, and ends with its context."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from msp_core.dev import ServerFolder, free_port, run_tool, server_folder, server_process
from msp_core.dev import _process as _dev_process
from msp_core.errors import DevError

SERVER = """
import os, signal, socket, sys
def say(text): os.write(1, f"{text}\\n".encode())
def ended(number, _): say(f"ended by {signal.Signals(number).name}"); os._exit(0)
for number in (signal.SIGTERM, signal.SIGINT): signal.signal(number, ended)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
say("serving")
while True: listener.accept()[0].close()
"""


@pytest.fixture
async def held(tmp_path: Path) -> AsyncIterator[ServerFolder]:
    """Hold a folder for a server."""
    async with server_folder(tmp_path / "server") as held:
        yield held


def python(code: str, *arguments: object) -> list[str]:
    """Return a command line of a Python program."""
    return [sys.executable, "-c", code, *map(str, arguments)]


def connects(port: int) -> Callable[[], Awaitable[None]]:
    """Return what raises unless somebody accepts a connection on the port."""

    async def connect() -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    return connect


async def never() -> None:
    """Wait for an answer that does not come."""
    await asyncio.Event().wait()


def new_children_ended() -> Callable[[], Awaitable[None]]:
    """Give what waits until each child we get from now on has ended; the session's servers stay."""
    before = set(psutil.Process().children())

    async def wait() -> None:
        while not _all_ended(set(psutil.Process().children()) - before):  # noqa: ASYNC110 - a corpse is no event
            await asyncio.sleep(0.01)

    return wait


def _all_ended(children: set[psutil.Process]) -> bool:
    return all(child.status() == psutil.STATUS_ZOMBIE for child in children)


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGINT])
async def test_server_answers_inside_the_context_and_is_gone_after_it(
    held: ServerFolder, stop_signal: signal.Signals
) -> None:
    """Entering waits for a real connection; leaving waits for the end, by the asked-for signal."""
    port = held.port()
    argv = python(SERVER, port)

    async with server_process(
        argv, folder=held, ready=connects(port), stop_signal=stop_signal
    ) as process:
        await connects(port)()
        running = process.exit_code

    assert [running, process.exit_code] == [None, 0]
    assert held.log.read_text() == f"serving\nended by {stop_signal.name}\n"


async def test_a_server_that_crashes_is_told_of_once(
    held: ServerFolder, caplog: pytest.LogCaptureFixture
) -> None:
    """Its name, exit code and log are in one line; whoever uses it goes on."""
    port, told = held.port(), asyncio.Event()
    loop, handler = asyncio.get_running_loop(), logging.Handler()
    handler.emit = lambda _: loop.call_soon(told.set)  # type: ignore[method-assign,assignment]
    logging.getLogger("msp.dev").addHandler(handler)
    try:
        async with server_process(
            python(SERVER, port), folder=held, ready=connects(port)
        ) as process:
            psutil.Process(process.guard.pid).children()[0].kill()
            async with asyncio.timeout(30):
                await told.wait()
    finally:
        logging.getLogger("msp.dev").removeHandler(handler)

    (line,) = [each.getMessage() for each in caplog.records if each.name == "msp.dev"]
    assert line == (
        f"{Path(sys.executable).name} ended with exit code {128 + signal.SIGKILL}, its clients get "
        f"errors from now on: see {held.log}, and start msp dev again"
    )


async def test_a_server_that_is_stopped_is_not_told_of(
    held: ServerFolder, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end that was asked for is none to worry about, however often it is looked."""
    monkeypatch.setattr(_dev_process, "_LOOK", 0.0)
    port = held.port()
    async with server_process(python(SERVER, port), folder=held, ready=connects(port)):
        pass

    assert [each for each in caplog.records if each.name == "msp.dev"] == []


async def test_server_is_out_of_reach_of_the_terminal(held: ServerFolder) -> None:
    """Ctrl-C goes to the processes of our own session only, so the service stops before it."""
    port = held.port()

    async with server_process(python(SERVER, port), folder=held, ready=connects(port)) as process:
        (server,) = psutil.Process(process.guard.pid).children()

        assert os.getsid(server.pid) == process.guard.pid


async def test_server_stops_when_the_context_fails(held: ServerFolder) -> None:
    """A failing start of whatever comes after leaves nothing running."""
    port = held.port()
    argv = python(SERVER, port)

    with pytest.raises(ZeroDivisionError):
        async with server_process(argv, folder=held, ready=connects(port)) as process:
            raise ZeroDivisionError

    assert process.exit_code == 0


async def test_shows_what_a_server_said_that_ended_before_it_was_ready(held: ServerFolder) -> None:
    """The reason is in the error, not only in a file."""
    argv = python("raise SystemExit('\\n'.join([*map(str, range(40)), 'no such setting']))")

    with pytest.raises(DevError) as error:
        async with server_process(argv, folder=held, ready=connects(free_port())):
            raise AssertionError

    first, *lines = str(error.value).splitlines()
    assert first.endswith(f"ended before it was ready; the end of {held.log}:")
    assert lines[-2:] == ["  39", "  no such setting"]
    assert len(lines) == 10


async def test_names_a_server_that_cannot_run(held: ServerFolder) -> None:
    """A missing program is said."""
    argv = [held.home / "missing"]

    with pytest.raises(DevError, match=r"(?s)missing ended before it was ready.*cannot run"):
        async with server_process(argv, folder=held, ready=connects(free_port())):
            raise AssertionError


async def fail() -> None:
    """Find nobody who answers."""
    raise ConnectionError


@pytest.mark.parametrize("ready", [never, fail])
async def test_names_a_server_that_does_not_answer_in_time(
    held: ServerFolder, ready: Callable[[], Awaitable[None]]
) -> None:
    """A server that hangs does not hang the start."""
    argv = python("import time; time.sleep(300)")

    with pytest.raises(DevError, match=r"(?s)was not ready within 0.1 s.*\(nothing\)"):
        async with server_process(argv, folder=held, ready=ready, start_timeout=0.1):
            raise AssertionError


async def succeed() -> None:
    """Get an answer."""


@pytest.mark.parametrize("outcome", [fail, succeed])
@pytest.mark.parametrize("swallowed", [False, True])
async def test_a_start_that_is_cancelled_ends_whatever_the_client_makes_of_it(
    held: ServerFolder, outcome: Callable[[], Awaitable[None]], *, swallowed: bool
) -> None:
    """The moment at which the answer comes, and libraries that lose a cancellation, included."""
    starting: list[asyncio.Task[None]] = []

    async def answers() -> None:
        loop = asyncio.get_running_loop()
        answered = loop.create_future()
        if not swallowed:
            loop.call_soon(answered.set_result, None)
        loop.call_soon(starting[0].cancel)
        with contextlib.suppress(asyncio.CancelledError) if swallowed else contextlib.nullcontext():
            await answered
        await outcome()

    async def start() -> None:
        argv = python("import time; time.sleep(300)")
        async with server_process(argv, folder=held, ready=answers):
            await never()

    starting.append(asyncio.create_task(start()))
    done, _ = await asyncio.wait(starting, timeout=20)

    assert [task.cancelled() for task in done] == [True]


async def test_does_not_take_another_server_for_its_own(held: ServerFolder) -> None:
    """Somebody who listens on the port of a server that failed is not talked to."""
    argv = python("raise SystemExit('port is taken')")

    with pytest.raises(DevError, match="ended, and another server answered in its place"):
        async with server_process(argv, folder=held, ready=new_children_ended()):
            raise AssertionError


async def test_kills_a_guard_that_hangs(
    held: ServerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that a guard does or does not do keeps us from leaving."""
    port = held.port()
    monkeypatch.setattr(_dev_process, "_GUARDS_SHARE", 0.1)

    async with server_process(
        python(SERVER, port), folder=held, ready=connects(port), stop_grace=0.0
    ) as process:
        (server,) = psutil.Process(process.guard.pid).children()
        process.guard.send_signal(signal.SIGSTOP)

    assert process.exit_code == -signal.SIGKILL
    with contextlib.suppress(psutil.NoSuchProcess):
        server.kill()


async def test_server_inherits_nothing_of_ours_but_what_it_is_given(
    held: ServerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets of the service stay out of servers, and so do settings meant for clients."""
    monkeypatch.setenv("GUESTBOOK_TOKEN", "hunter2")

    await run_tool(
        python("import os; print(*sorted(os.environ), sep='\\n')"),
        folder=held,
        environ={"SETTING": "on"},
    )

    names = held.log.read_text().split()
    assert {"SETTING", "PATH", "LC_ALL"} <= set(names)
    assert "GUESTBOOK_TOKEN" not in names


async def test_shows_what_a_tool_said_that_failed(held: ServerFolder) -> None:
    """Preparing the data may fail, with the tool's own words."""
    with pytest.raises(DevError, match=r"(?s) failed; .*disk is full"):
        await run_tool(python("raise SystemExit('disk is full')"), folder=held)


async def test_says_that_the_disk_is_full(
    held: ServerFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log cannot, as nothing more fits into it."""
    full = shutil.disk_usage(held.data)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)

    with pytest.raises(DevError, match="failed, the disk is full; the end of"):
        await run_tool(python("raise SystemExit(1)"), folder=held)


async def test_names_a_tool_that_does_not_end(held: ServerFolder) -> None:
    """A tool that hangs does not hang the start."""
    with pytest.raises(DevError, match=r"did not end within 0\.1 s"):
        await run_tool(python("import time; time.sleep(300)"), folder=held, timeout=0.1)
