"""ImportWatch: how long the imports of each package take."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from functools import partial
from importlib.machinery import (
    ExtensionFileLoader,
    ModuleSpec,
    SourceFileLoader,
    SourcelessFileLoader,
)
from types import ModuleType

import attrs

Loader = SourceFileLoader | SourcelessFileLoader | ExtensionFileLoader
LOADERS = (SourceFileLoader, SourcelessFileLoader, ExtensionFileLoader)


@attrs.frozen(kw_only=True, eq=False)
class ImportedPackage:
    """What a package cost to import.

    Attributes:
        name: of the package, such as `psycopg`.
        seconds: of all its modules; what they import of others is not in it.
        modules: how many of them were imported.
    """

    name: str
    seconds: float
    modules: int


class ImportWatch(threading.local):
    """A finder that finds nothing by itself: it asks the others, and looks at the clock.

    The time of a module is that of finding and running it, without what it imports meanwhile.
    Modules that are built into Python are nobody's: they take no time worth a line.
    """

    # Of all threads: a thread may import what another one waits for.
    _seconds: dict[str, float]
    _modules: dict[str, int]

    def __init__(self, seconds: dict[str, float], modules: dict[str, int]) -> None:
        # Called once in each thread: imports of two threads do not lie within each other.
        self._seconds, self._modules = seconds, modules
        self._within = [0.0]

    @classmethod
    def install(cls) -> ImportWatch:
        """Watch from now on."""
        watch = cls({}, {})
        sys.meta_path.insert(0, watch)
        return watch

    @staticmethod
    def find_installed() -> ImportWatch | None:
        """Return the one that watches; None where none does."""
        found = (each for each in sys.meta_path if isinstance(each, ImportWatch))
        return next(found, None)

    def remove(self) -> None:
        """Watch no more."""
        sys.meta_path.remove(self)

    def heaviest(self, amount: int) -> tuple[ImportedPackage, ...]:
        """Return the packages that took longest, longest first."""
        found = [
            ImportedPackage(name=name, seconds=seconds, modules=self._modules[name])
            for name, seconds in self._seconds.items()
            if name in self._modules
        ]
        return tuple(sorted(found, key=lambda each: -each.seconds)[:amount])

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return what the other finders find; the module notes its time when it is run."""
        began = time.perf_counter()
        package = name.partition(".")[0]
        spec = _find(self, name, path, target)
        # Each module has a loader of its own then. Others may serve many modules.
        if spec is not None and isinstance(spec.loader, LOADERS):
            run = partial(self._run, package, spec.loader)
            spec.loader.exec_module = run  # type: ignore[method-assign]  # of this one
        self._note(package, began)
        return spec

    def _run(self, package: str, loader: Loader, module: ModuleType) -> None:
        del loader.exec_module  # the class's own is left
        self._modules[package] = self._modules.get(package, 0) + 1
        began = time.perf_counter()
        self._within.append(0.0)
        try:
            loader.exec_module(module)
        finally:
            within = self._within.pop()
            self._note(package, began + within)
            self._within[-1] += within

    def _note(self, package: str, began: float) -> None:
        """Add the time since `began` to the package; it lies within what runs around it."""
        seconds = time.perf_counter() - began
        self._seconds[package] = self._seconds.get(package, 0.0) + seconds
        self._within[-1] += seconds


def _find(
    watch: ImportWatch, name: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    for finder in sys.meta_path:
        spec = None if finder is watch else finder.find_spec(name, path, target)
        if spec is not None:
            return spec
    return None
