"""Levels and the root logger: what `logging` is set to, and how it was before."""

from __future__ import annotations

import functools
import logging
import sys
from collections.abc import Callable, Mapping

from msp_core._logs.pipeline import Pipeline


def set_levels(root: int, scopes: Mapping[str, int]) -> Callable[[], None]:
    """Set the level of the root logger and of each named one.

    Returns:
        Puts back the levels found.
    """
    wanted = {"": root, **scopes}
    found = {name: _logger_of(name).level for name in wanted}
    _apply(wanted)
    return functools.partial(_apply, found)


def take_root(pipeline: Pipeline) -> Callable[[], None]:
    """Make the pipeline the root logger's way out, in place of those to stdout and stderr.

    Returns:
        Puts back the handlers found.
    """
    root = logging.getLogger()
    aside = [handler for handler in root.handlers if _prints(handler)]
    for handler in aside:
        root.removeHandler(handler)
    # First: a line is on its way before somebody else's handler can hang.
    root.handlers.insert(0, pipeline)

    def restore() -> None:
        root.removeHandler(pipeline)
        for handler in aside:
            root.addHandler(handler)

    return restore


def _prints(handler: logging.Handler) -> bool:
    streams = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    stream = getattr(handler, "stream", None)
    return isinstance(handler, Pipeline) or (stream is not None and stream in streams)


def _apply(levels: Mapping[str, int]) -> None:
    for name, level in levels.items():
        _logger_of(name).setLevel(level)


def _logger_of(name: str) -> logging.Logger:
    return logging.getLogger(name or None)
