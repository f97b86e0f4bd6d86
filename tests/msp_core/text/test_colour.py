"""Who wants colours gets them, who does not, does not."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pytest

from msp_core._text.terminal import is_coloured


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Return True."""
        return True


@pytest.mark.parametrize(
    ("environ", "terminal", "pipe"),
    [
        ({}, True, False),
        ({"TERM": "xterm"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": "0"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_coloured(environ: Mapping[str, str], *, terminal: bool, pipe: bool) -> None:
    """A terminal is coloured, anything else is not; the user's word counts more than that."""
    assert is_coloured(Terminal(), environ) is terminal
    assert is_coloured(io.StringIO(), environ) is pipe


def test_no_stream() -> None:
    """A process without that stream colours nothing."""
    assert not is_coloured(None, {})
