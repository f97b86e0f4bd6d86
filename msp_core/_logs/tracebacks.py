"""Tracebacks for people: the program's own frames, those of libraries folded."""

from __future__ import annotations

import functools
import itertools
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Final

import attrs

_INSTALLED: Final = ("site-packages", "dist-packages")
_CORE: Final = __name__.partition(".")[0]


@attrs.frozen(kw_only=True, eq=False)
class Packages:
    """What is a library, and what is the program's own.

    Attributes:
        own: packages of the services installed here; shown even where libraries are installed.
        runtime: where the core and plugins lie; folded even beside a service, as in a repository
            of both.
    """

    own: frozenset[str]
    runtime: tuple[str, ...]

    @classmethod
    def current(cls) -> Packages:
        """Return those of this process."""
        own, plugins = _find_installed()
        modules = [sys.modules[name] for name in plugins & sys.modules.keys()]
        return cls(own=own, runtime=tuple(map(_location, modules)))

    def library(self, filename: str) -> str | None:
        """Return which library, or command, a file belongs to; None for the program's own."""
        if filename.startswith("<frozen "):
            return filename.removeprefix("<frozen ").rstrip(">").partition(".")[0]
        path = Path(filename)
        for folder, package in itertools.pairwise(path.parts):
            if folder in _INSTALLED:
                name = Path(package).stem
                return None if name in self.own else name
        for folder in _folders():
            if path.is_relative_to(folder):
                return Path(path.relative_to(folder).parts[0]).stem
        places = (place for place in self.runtime if path.is_relative_to(place))
        return next((Path(place).stem for place in places), None)


class _Folded(traceback.StackSummary):
    """A stack that prints each run of library frames as one line, but for the last frame.

    That one says where the error was raised, whoever's code it is; unless there is no code to
    show, as in the machinery of imports.
    """

    def format(self, **options: Any) -> list[str]:  # noqa: ANN401 - they differ by version
        """Return the lines; the options are those of the Python that runs."""
        lines: list[str] = []
        library = Packages.current().library
        last = self[-1:] if self and self[-1].line else []
        named = [(frame, library(frame.filename)) for frame in self[: len(self) - len(last)]]
        for folded, run in itertools.groupby(named, lambda pair: pair[1] is not None):
            frames, libraries = zip(*run, strict=True)
            if folded:
                lines.append(_fold_line(libraries))
            else:
                lines += traceback.StackSummary(frames).format(**options)
        return lines + traceback.StackSummary(last).format(**options)


def whole_traceback(
    kind: type[BaseException], error: BaseException, frames: TracebackType | None
) -> str:
    """Return what Python prints of an error and its causes."""
    return "".join(traceback.format_exception(kind, error, frames)).rstrip("\n")


def fold_traceback(
    kind: type[BaseException], error: BaseException, frames: TracebackType | None
) -> str:
    """Return what Python prints of an error and its causes, with the frames of libraries folded."""
    printed = traceback.TracebackException(kind, error, frames)
    for each in _with_causes(printed):
        each.stack = _Folded(each.stack)
    return "".join(printed.format()).rstrip("\n")


def _with_causes(
    printed: traceback.TracebackException,
) -> Iterator[traceback.TracebackException]:
    yield printed
    for each in (printed.__cause__, printed.__context__, *(printed.exceptions or ())):
        if each is not None:
            yield from _with_causes(each)


def _fold_line(libraries: Iterable[str | None]) -> str:
    count = len([*libraries])
    names = ", ".join(dict.fromkeys(filter(None, libraries)))
    return f"  … {count} {'frame' if count == 1 else 'frames'} of {names}\n"


@functools.cache
def _find_installed() -> tuple[frozenset[str], frozenset[str]]:
    """Return the packages of services, and those of plugins and the core, installed here."""
    import importlib_metadata  # noqa: PLC0415 - slow; most programs never print a traceback

    points = importlib_metadata.entry_points()
    own, plugins = (
        frozenset(point.module.partition(".")[0] for point in points.select(group=group))
        for group in ("msp.services", "msp.plugins")
    )
    return own, (plugins | {_CORE}) - own


def _location(module: ModuleType) -> str:
    """Return a package's folder, or a module's file."""
    return str([*getattr(module, "__path__", ()), module.__file__][0])


@functools.cache
def _folders() -> tuple[str, ...]:
    """Return where commands and the standard library lie."""
    paths = sysconfig.get_paths()
    return tuple(paths[name] for name in ("scripts", "stdlib", "platstdlib"))
