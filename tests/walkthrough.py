"""Walkthrough: a reader who does what a page says, by the letter.

The words behind the language of a code block say what to do:

* `file=PATH`: the block is written there.
* `install`: (console) each `$ pip` line is run in a fresh environment; `install -e` takes wheels.
* `run`: (console) each `$` line is run and its output compared; `…` stands for any text.
* `serve`: (console) the `$` line is started and stays; at the end of the page it gets SIGINT,
  must leave with 0, and everything it printed is compared; `^C` marks that moment.

Port 8080 of a page is a free one here.
"""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import attrs
import httpx

from msp_core.dev import forget_folder, free_port
from tests.documentation import Block, blocks, wait_ready
from tests.fresh_environment import FreshEnvironment, words_of

_PATIENCE = 60.0  # seconds; only reached when something is broken


@attrs.define
class Walkthrough:
    """A reader who does what a page says, in a folder of their own.

    Attributes:
        folder: empty at first.
        environment: holds nothing at first.
        port: which stands for 8080.
    """

    folder: Path
    environment: FreshEnvironment
    port: str = attrs.field(factory=lambda: str(free_port()))
    _served: list[tuple[Block, subprocess.Popen[str]]] = attrs.field(factory=list)

    def follow(self, page: Path) -> None:
        """Do what each block says, in order."""
        try:
            for block in blocks(page):
                self._step(block)
            self._stop()
        finally:
            for _, process in self._served:
                process.kill()
                process.wait()
            for kept in self.folder.glob(".msp/*/"):
                asyncio.run(forget_folder(kept))

    def _step(self, block: Block) -> None:
        if block.file is not None:
            self._write(block.file, block.text)
        elif "install" in block.marks:
            self._install(block)
        elif "serve" in block.marks:
            self._serve(block)
        elif "run" in block.marks:
            self._run(block)

    def _write(self, file: str, text: str) -> None:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def _install(self, block: Block) -> None:
        for command, _ in _commands(block.text):
            words = words_of(command, "pip") or ["nothing"]
            match words:
                case ["install", *requirements]:
                    self.environment.install(requirements, self.folder)
                case ["wheel", *arguments]:
                    self.environment.build(arguments, self.folder)
                case _:
                    raise AssertionError(f"{block}: expected pip install or wheel, not {command}")

    def _run(self, block: Block) -> None:
        for command, expected in _commands(block.text):
            words = words_of(command, "curl")
            output = self._shell(command) if words is None else self._curl(words)
            self._compare(block, expected, output)

    def _shell(self, command: str) -> str:
        done = subprocess.run(  # noqa: S603 - what the page says
            ["/bin/sh", "-c", command.replace("8080", self.port)],
            cwd=self.folder,
            env=self._environ(command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        return done.stdout

    def _environ(self, command: str) -> dict[str, str]:
        """Return what the reader's shell holds: no PORT, which `msp dev` alone can do without."""
        port = {"PORT": self.port} if "msp dev " in command else {}
        return {**self.environment.environ, **port, "NO_COLOR": "1", "COLUMNS": "100"}

    def _curl(self, words: list[str]) -> str:
        """Do what curl would, which not every machine has: -i, -H, -X and an address."""
        headers = dict(words[i + 1].split(": ", 1) for i, word in enumerate(words) if word == "-H")
        url = words[-1].replace(":8080", f":{self.port}")
        method = words[words.index("-X") + 1] if "-X" in words else "GET"
        answer = httpx.request(method, f"http://{url}", headers=headers)
        head = ""
        if "-i" in words:
            fields = "".join(f"{name}: {value}\n" for name, value in answer.headers.items())
            head = f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}\n{fields}\n"
        return head + answer.text

    def _serve(self, block: Block) -> None:
        ((command, _),) = _commands(block.text)
        if not self._served:
            # Anew: while the packages were installed another test may have taken the first one.
            self.port = str(free_port())
        kept = self.folder / f".served{len(self._served)}"
        with kept.open("w") as output:
            process = subprocess.Popen(  # noqa: S603 - what the page says
                ["/bin/sh", "-c", _exec(command.replace("8080", self.port))],
                cwd=self.folder,
                # Whether a service stops in time on a busy machine is no question of its page.
                env={**self._environ(command), "MSP_SHUTDOWN_BUDGET": "60s"},
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self._served.append((block, process))
        try:
            wait_ready(int(self.port), process)
        except AssertionError as error:
            raise AssertionError(f"{block}: {error}\n{kept.read_text()}") from error

    def _stop(self) -> None:
        for number, (block, process) in enumerate(self._served):
            process.send_signal(signal.SIGINT)
            code = process.wait(_PATIENCE)
            output = (self.folder / f".served{number}").read_text()

            assert code == 0, f"{block}: left with {code}\n{output}"

            ((_, expected),) = _commands(block.text)
            self._compare(block, expected.replace("^C\n", ""), output)

    def _compare(self, block: Block, expected: str, output: str) -> None:
        output = _columns(output.replace(self.port, "8080"))
        pattern = re.escape(_columns(expected.strip())).replace("…", ".*?")

        assert re.fullmatch(pattern, output.strip(), re.DOTALL), (
            f"{block}: the page says\n{expected}\nbut it printed\n{output}"
        )


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
