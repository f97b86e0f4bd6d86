"""Pages of the documentation and their code blocks.

The first word after three backticks is the language; the words behind it say what to do with the
block, see `tests/walkthrough.py`.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import httpx

ROOT = Path(__file__).parent.parent
_FENCE = re.compile(r"^```(\S+)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PATIENCE = 60.0  # seconds; only reached when something is broken


@attrs.frozen(kw_only=True)
class Block:
    """One code block.

    Attributes:
        page: the file, relative to the repository.
        line: of the opening backticks, from 1.
        language: such as `python`.
        marks: the words behind the language.
        text: the code.
    """

    page: Path
    line: int
    language: str
    marks: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        """Return where the block is."""
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str | None:
        """Where the block is written to; None for one that is not."""
        return next((mark[5:] for mark in self.marks if mark.startswith("file=")), None)


def pages() -> list[Path]:
    """Return every Markdown page of the repository, relative to it."""
    top = ROOT.glob("*.md")
    below = (
        page
        for folder in ("docs", "plugins", "example", "benchmarks")
        for page in (ROOT / folder).rglob("*.md")
    )
    return sorted(page.relative_to(ROOT) for page in (*top, *below))


def blocks(page: Path) -> Iterator[Block]:
    """Yield the code blocks of a page."""
    text = (ROOT / page).read_text()
    for match in _FENCE.finditer(text):
        language, marks, code = match.groups()
        yield Block(
            page=page,
            line=text.count("\n", 0, match.start()) + 1,
            language=language,
            marks=tuple(marks.split()),
            text=code,
        )


def wait_ready(
    port: int,
    process: subprocess.Popen[str] | subprocess.Popen[bytes],
    path: str = "/-/ready",
) -> None:
    """Wait until that path answers 200; fail when the process ends before."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, f"left with {process.returncode} before it was ready"

        try:
            if httpx.get(f"http://127.0.0.1:{port}{path}").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"not ready after {_PATIENCE} seconds")
