"""Code blocks of the documentation, and what it takes to run them for real.

The first word after three backticks is the language; the words behind it say what to do:

* `file=PATH`: the block is written there before anything on the page runs.
* `run`: (console) each `$` line is run and its output compared; `…` stands for any text.
* `serve`: (console) the `$` line is started and stays; at the end of the page it gets SIGINT,
  must leave with 0, and everything it printed is compared; `^C` marks that moment.

A folder that gets a `pyproject.toml` counts as installed.
"""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import attrs
import httpx

from msp_core.dev import forget_folder, free_port

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


def install(folder: Path, site: Path) -> None:
    """Make the distribution whose `pyproject.toml` is in the folder look installed in `site`."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    requirements = [f"Requires-Dist: {text}" for text in project.get("dependencies", ())]
    head = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}"]
    (info / "METADATA").write_text("\n".join([*head, *requirements]) + "\n")
    groups = project.get("entry-points", {})
    lines = [
        line
        for group, entries in groups.items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


@attrs.define
class Walkthrough:
    """A reader who does what a page says, in a folder of their own.

    Attributes:
        folder: empty at first.
        environ: what the reader's shell holds.
    """

    folder: Path
    environ: dict[str, str]
    _served: list[tuple[Block, subprocess.Popen[str]]] = attrs.field(factory=list)

    @classmethod
    def begin(cls, folder: Path) -> Walkthrough:
        """Return a reader at the top of a page; PORT is one of their own."""
        own = {"PORT": str(free_port()), "NO_COLOR": "1", "COLUMNS": "100"}
        kept = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR") if name in os.environ}
        kept["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
        coverage = {name: text for name, text in os.environ.items() if name.startswith("COV")}
        return cls(folder, {**kept, **coverage, **own})

    def follow(self, page: Path) -> None:
        """Write the page's files, install its distributions, run its consoles in order."""
        steps = list(blocks(page))
        for block in steps:
            if block.file is not None:
                path = self.folder / block.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text)
        self._install()
        try:
            for block in steps:
                self._step(block)
            self._stop()
        finally:
            for _, process in self._served:
                process.kill()
                process.wait()
            for kept in self.folder.glob(".msp/*"):
                asyncio.run(forget_folder(kept))

    def _install(self) -> None:
        site = self.folder / ".site"
        site.mkdir()
        roots = [path.parent for path in sorted(self.folder.rglob("pyproject.toml"))]
        for root in roots:
            install(root, site)
        self.environ["PYTHONPATH"] = os.pathsep.join(map(str, [site, *roots]))

    def _step(self, block: Block) -> None:
        if block.language != "console":
            return
        if "serve" in block.marks:
            self._serve(block)
        elif "run" in block.marks:
            self._run(block)

    def _run(self, block: Block) -> None:
        for command, expected in _commands(block.text):
            output = self._curl(command) if command.startswith("curl ") else self._shell(command)
            self._compare(block, expected, output)

    def _shell(self, command: str) -> str:
        done = subprocess.run(  # noqa: S603 - what the page says
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        return done.stdout

    def _curl(self, command: str) -> str:
        """Do what curl would, which not every machine has: -i, -H, -X and an address."""
        words = [self._expanded(word) for word in shlex.split(command)[1:]]
        headers = dict(words[i + 1].split(": ", 1) for i, word in enumerate(words) if word == "-H")
        url = words[-1].replace(":8080", f":{self.environ['PORT']}")
        method = words[words.index("-X") + 1] if "-X" in words else "GET"
        answer = httpx.request(method, f"http://{url}", headers=headers)
        head = ""
        if "-i" in words:
            fields = "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
            head = f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}\n{fields}\n"
        return head + answer.text

    def _expanded(self, word: str) -> str:
        return re.sub(r"\$(\w+)", lambda match: self.environ[match[1]], word)

    def _serve(self, block: Block) -> None:
        ((command, _),) = _commands(block.text)
        with (self.folder / f".served{len(self._served)}").open("w") as output:
            process = subprocess.Popen(  # noqa: S603 - what the page says
                ["/bin/sh", "-c", f"{_exec(command)}"],
                cwd=self.folder,
                env=self.environ,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self._served.append((block, process))
        wait_ready(int(self.environ["PORT"]), process)

    def _stop(self) -> None:
        for number, (block, process) in enumerate(self._served):
            process.send_signal(signal.SIGINT)
            code = process.wait(_PATIENCE)
            output = (self.folder / f".served{number}").read_text()

            assert code == 0, f"{block}: left with {code}\n{output}"

            ((_, expected),) = _commands(block.text)
            self._compare(block, expected.replace("^C\n", ""), output)

    def _compare(self, block: Block, expected: str, output: str) -> None:
        output = _columns(output.replace(self.environ["PORT"], "8080"))
        pattern = re.escape(_columns(expected.strip())).replace("…", ".*?")

        assert re.fullmatch(pattern, output.strip(), re.DOTALL), (
            f"{block}: the page says\n{expected}\nbut it printed\n{output}"
        )


def wait_ready(port: int, process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Wait until `/-/ready` answers 200; fail when the process ends before."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, f"left with {process.returncode} before it was ready"

        try:
            if httpx.get(f"http://127.0.0.1:{port}/-/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"not ready after {_PATIENCE} seconds")


def _columns(text: str) -> str:
    """Return the text with narrow gaps: what else is installed makes columns of a table wider."""
    return re.sub(r"(?<=\S) {2,}", "  ", text)


def _exec(command: str) -> str:
    """Return the command so that the shell becomes it, with the variables set before it."""
    assignments = re.match(r"(?:[A-Z_]+=\S+ )*", command)
    length = assignments.end() if assignments else 0
    return f"{command[:length]}exec {command[length:]}"


def _commands(text: str) -> Iterator[tuple[str, str]]:
    """Yield (command, expected output) of a console block."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        yield command.split("  # ")[0], expected
