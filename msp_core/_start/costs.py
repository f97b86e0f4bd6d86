"""Costs: what the parts of a start took, in time and memory."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:  # imported by whoever watches
    from msp_core._start.import_watch import ImportedPackage, ImportWatch

# Where Linux says how much memory a process has, in pages.
STATM = Path("/proc/self/statm")

# How many packages are named.
HEAVIEST = 10

MILLI = 1000
MEBI = 2**20


@attrs.frozen(kw_only=True, eq=False)
class Part:
    """One part of a start.

    Attributes:
        name: `variables`, or `open redis` for a part that is a plugin's.
        seconds: how long it took.
        memory: bytes by which the resident set of the process grew meanwhile.
    """

    name: str
    seconds: float
    memory: int


class Costs:
    """The parts of one start, in order.

    Attributes:
        parts: what is over by now. The first is `before`: the interpreter and what the service
            imported, by CPU time, as nobody looked at a clock then.
        imports: the packages that took longest to import, longest first; empty where nobody
            watched, and until the start is over.
    """

    def __init__(self) -> None:
        before = Part(name="before", seconds=time.process_time(), memory=resident_set())
        self.parts: list[Part] = [before]
        self.imports: tuple[ImportedPackage, ...] = ()
        self._began = time.perf_counter()

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Measure a part of the start; one that fails is none."""
        began, memory = time.perf_counter(), resident_set()
        yield
        seconds = time.perf_counter() - began
        self.parts.append(Part(name=name, seconds=seconds, memory=resident_set() - memory))

    def finish(self) -> None:
        """Watch imports no more: the start is over."""
        watch = _find_watch()
        if watch is not None:
            watch.remove()
            self.imports = watch.heaviest(HEAVIEST)
        seconds = self.parts[0].seconds + time.perf_counter() - self._began
        self.parts.append(Part(name="all", seconds=seconds, memory=resident_set()))

    def records(self) -> dict[str, Any]:
        """Return what a log line says of them: by name, milliseconds and megabytes."""
        found: dict[str, Any] = {
            part.name: {"ms": _round(part.seconds * MILLI), "mb": _round(part.memory / MEBI)}
            for part in self.parts
        }
        if self.imports:
            found["imports"] = {each.name: _round(each.seconds * MILLI) for each in self.imports}
        return found


def _find_watch() -> ImportWatch | None:
    module = sys.modules.get("msp_core._start.import_watch")
    return None if module is None else module.ImportWatch.find_installed()


def _round(number: float) -> float:
    return round(number, 1)


def resident_set() -> int:
    """Return the memory of this process in bytes; where the system does not say, its peak."""
    try:
        pages = STATM.read_text(encoding="ascii").split()[1]
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return int(pages) * resource.getpagesize()
