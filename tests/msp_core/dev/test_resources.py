"""Dev resources run beside a program, on a loop of their own, all of them or none."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import attrs
import pytest

from msp_core.dev import DevResource, DevResources, running_resources, server_folder
from msp_core.dev import _resources as _dev_resources
from msp_core.errors import DevError


@attrs.define
class Fake:
    """A dev resource that writes down what happens to it.

    Attributes:
        number: part of its variables.
        fault: raised instead of starting.
        together: met with others before it is ready.
    """

    number: int = 1
    fault: Exception | None = None
    together: asyncio.Barrier | None = None
    events: list[str] = attrs.field(factory=list)
    started: threading.Event = attrs.field(factory=threading.Event)

    @contextlib.asynccontextmanager
    async def __call__(self, folder: Path) -> AsyncIterator[Mapping[str, str]]:
        """Start and stop."""
        self.events.append(folder.name)
        self.started.set()
        try:
            if self.fault is not None:
                raise self.fault
            if self.together is not None:
                await self.together.wait()
            yield {f"FAKE_{self.number}": "here"}
        finally:
            self.events.append("stopped")


def fakes(**resources: Fake) -> dict[str, DevResource]:
    """Return the resources by name."""
    return dict(resources)


def test_gives_the_variables_of_all_resources(tmp_path: Path) -> None:
    """A service cannot tell them from a platform that has MSP off."""
    with DevResources(fakes(one=Fake(1), two=Fake(2)), tmp_path) as resources:
        assert resources.environ == {"MSP": "false", "FAKE_1": "here", "FAKE_2": "here"}
        assert resources.variables["two"] == {"FAKE_2": "here"}


def test_starts_all_at_once(tmp_path: Path) -> None:
    """The start takes as long as the slowest resource, not as long as all of them."""
    together = asyncio.Barrier(2)
    both = fakes(one=Fake(1, together=together), two=Fake(2, together=together))

    with DevResources(both, tmp_path) as resources:
        assert set(resources.variables) == {"one", "two"}


def test_starts_and_stops_again_and_again(tmp_path: Path) -> None:
    """An outage can be played."""
    fake = Fake()
    resources = DevResources(fakes(one=fake), tmp_path)

    for _ in range(2):
        resources.start()
        resources.stop()
    resources.stop()

    assert fake.events == ["one", "stopped"] * 2


def test_a_resource_that_cannot_start_stops_the_others(tmp_path: Path) -> None:
    """Nothing is left running behind an error."""
    started = Fake()
    resources = DevResources(fakes(one=started, two=Fake(fault=OSError("disk"))), tmp_path)

    with pytest.raises(OSError, match="disk"):
        resources.start()

    assert started.events == ["one", "stopped"]


@contextlib.asynccontextmanager
async def on_a_port(folder: Path) -> AsyncIterator[Mapping[str, str]]:
    """Run no server, and remember its port."""
    async with server_folder(folder) as held:
        yield {"PORT": str(held.port())}


def test_a_file_in_place_of_a_folder_is_one_sentence(tmp_path: Path) -> None:
    """What is in the way is named."""
    (tmp_path / "one").write_text("")

    with pytest.raises(
        DevError, match=rf"^{tmp_path}/one: file exists, expected a folder that can"
    ):
        DevResources({"one": on_a_port}, tmp_path).start()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT])
def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path, code: int) -> None:
    """A full disk, a read-only one, another user's: the file and the kernel's reason are told."""
    fault = OSError(code, os.strerror(code), "/data/one/port")

    with pytest.raises(DevError) as error:
        DevResources(fakes(one=Fake(fault=fault)), tmp_path).start()

    assert str(error.value) == (
        f"/data/one/port: {os.strerror(code).lower()}, expected a folder that can be written, with "
        "space on its disk: mend that, or name another with --data"
    )


def test_a_resource_that_holds_no_folder_is_not_shared(tmp_path: Path) -> None:
    """What a run before it left in the folder is not taken for a server that others can join."""
    with DevResources({"one": on_a_port}, tmp_path):
        before = (tmp_path / "one" / "running").read_text()
    with DevResources(fakes(one=Fake()), tmp_path), running_resources(tmp_path) as running:
        assert running == {}
        assert (tmp_path / "one" / "running").read_text() == before


def test_an_interrupted_start_stops_what_it_started(tmp_path: Path) -> None:
    """Ctrl-C while servers start leaves none of them."""
    fake = Fake(together=asyncio.Barrier(2))
    resources = DevResources(fakes(one=fake), tmp_path)
    caller = threading.Thread(target=_start_quietly, args=(resources,))
    caller.start()
    assert fake.started.wait(30)
    resources.stop()
    caller.join()

    assert fake.events == ["one", "stopped"]


def _start_quietly(resources: DevResources) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        resources.start()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_resource_that_cannot_stop_does_not_hang_the_caller(tmp_path: Path) -> None:
    """The error of a stop is shown, and the rest of the program goes on."""

    @contextlib.asynccontextmanager
    async def unstoppable(folder: Path) -> AsyncIterator[Mapping[str, str]]:
        try:
            yield {}
        finally:
            raise OSError("stuck")

    with DevResources({"one": unstoppable}, tmp_path) as resources:
        assert resources.environ == {"MSP": "false"}


def test_forgets_what_resources_kept(tmp_path: Path) -> None:
    """A fresh start finds empty folders; those of others are left alone."""
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "data").write_text("old")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "data").write_text("old")

    DevResources(fakes(one=Fake()), tmp_path).forget()

    assert not (tmp_path / "one" / "data").exists()
    assert (tmp_path / "other" / "data").exists()


@attrs.define
class Held(Fake):
    """A dev resource that holds its folder, as one with a server does.

    Attributes:
        refused: set when another one holds the folder.
        go: awaited before it is ready.
    """

    refused: threading.Event = attrs.field(factory=threading.Event)
    go: threading.Event = attrs.field(factory=threading.Event)

    @contextlib.asynccontextmanager
    async def __call__(self, folder: Path) -> AsyncIterator[Mapping[str, str]]:
        """Start and stop."""
        try:
            async with server_folder(folder, environ={}), Fake.__call__(self, folder) as variables:
                await asyncio.to_thread(self.go.wait)
                yield variables
        except DevError:
            self.refused.set()
            raise


def test_joins_what_another_started(tmp_path: Path) -> None:
    """The second one waits for the first one's start, then uses its resource."""
    first, second = Held(), Held()
    ours, theirs = DevResources({"one": first}, tmp_path), DevResources({"one": second}, tmp_path)
    starts = [threading.Thread(target=each.start) for each in (ours, theirs)]
    starts[0].start()
    first.started.wait(30)
    starts[1].start()
    second.refused.wait(30)

    first.go.set()
    for start in starts:
        start.join(30)

    assert [each.variables["one"].joined for each in (ours, theirs)] == [False, True]
    assert theirs.environ == {"MSP": "false", "FAKE_1": "here"}
    assert second.events == []
    theirs.stop()
    ours.stop()


@pytest.mark.parametrize(("silence", "lines"), [(0.0, 1), (3600.0, 0)])
def test_says_whom_it_waits_for(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    silence: float,
    lines: int,
) -> None:
    """A wait that a person would notice is told, once; a short one is not."""
    assert _dev_resources._SILENCE == 1.0
    monkeypatch.setattr(_dev_resources, "_SILENCE", silence)
    first, second = Held(), Held()
    ours, theirs = DevResources({"one": first}, tmp_path), DevResources({"one": second}, tmp_path)
    starts = [threading.Thread(target=each.start) for each in (ours, theirs)]
    starts[0].start()
    assert first.started.wait(30)
    starts[1].start()
    for _ in range(2):  # the second time it has been through the first one's line
        assert second.refused.wait(30)
        second.refused.clear()
    first.go.set()
    for start in starts:
        start.join(30)
    theirs.stop()
    ours.stop()

    told = [each.getMessage() for each in caplog.records if each.name == "msp.dev"]
    assert len(told) == lines
    assert all(
        line.startswith(f"one: waiting for process {os.getpid()}, which starts or stops it, for ")
        for line in told
    )


def test_does_not_wait_for_ever_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start of another process that hangs is told as what holds the folder."""
    monkeypatch.setattr(_dev_resources, "_OTHERS_START", 0.0)
    first = Held()
    ours = DevResources({"one": first}, tmp_path)
    start = threading.Thread(target=ours.start)
    start.start()
    first.started.wait(30)

    with pytest.raises(DevError, match="is in use by process"):
        DevResources({"one": Held()}, tmp_path).start()

    first.go.set()
    start.join(30)
    ours.stop()
