"""The command line `msp`, and what its errors look like."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.msp_core.command_line import Shell
from tests.msp_core.installed import SERVICE, Installed


class TestMain:
    def test_help(self, msp: Shell) -> None:
        """Help lists the built-in commands."""
        answer = msp("--help")

        assert answer.code == 0
        assert all(name in answer.out for name in ("run", "job", "env", "plugins", "check"))

    def test_version(self, msp: Shell) -> None:
        """The version is the core's."""
        assert msp("--version").out.startswith("msp 0.")

    def test_nothing_asked(self, msp: Shell) -> None:
        """Who knows no command is shown them; a script that forgot the command does not succeed."""
        answer = msp("")

        assert (answer.code, answer.out) == (2, "")
        assert answer.err == msp("--help").out

    def test_help_is_written_in_sentences(self, msp: Shell) -> None:
        """What every command and argument does is a sentence, other distributions' included."""
        assert "show this help" not in msp("--help").out
        for command in ("run", "job", "env", "plugins", "check", "dev", "migrate"):
            text = " ".join(msp(f"{command} --help").out.split())
            _, usage, *rest = re.split(r"usage: |options:|positional arguments:", text)

            assert re.search(r"] [A-Z][^\[\]]+\.$", usage.strip()), text
            assert all(part.strip().endswith(".") for part in rest), text

    @pytest.mark.parametrize("command", ["env", "dev", "migrate"])
    def test_usage_of_the_command(self, msp: Shell, command: str) -> None:
        """An unknown argument shows the usage of the command it was given to."""
        answer = msp(f"{command} guestbook --unknown")

        assert answer.code == 2
        assert answer.err.startswith(f"usage: msp {command} ")
        assert f"msp {command}: error: unrecognized arguments: --unknown" in answer.err

    @pytest.mark.parametrize("line", ["nope", "env --format nope"])
    def test_usage(self, msp: Shell, line: str) -> None:
        """What cannot be parsed leaves with 2 and prints nothing on stdout."""
        answer = msp(line)

        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith("usage: msp")

    def test_error(self, msp: Shell, guestbook: Installed) -> None:
        """An error is a message on stderr and its own exit code."""
        answer = msp("env nowhere:X")

        assert (answer.code, answer.out) == (2, "")
        assert answer.err == "msp: service 'nowhere:X': there is no module 'nowhere'\n"

    def test_errors(self, msp: Shell, installed: Installed) -> None:
        """An error of several lines is several messages."""
        installed.module("shop", SERVICE)
        answer = msp("env shop:Service --plugins zz,yy")

        assert answer.code == 1
        assert [line[:16] for line in answer.err.splitlines()] == [
            "msp: plugin 'zz'",
            "msp: plugin 'yy'",
        ]

    def test_current_folder(
        self, msp: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A script in the current folder is found, as `python -m` finds it."""
        Installed(tmp_path).module("script_of_the_folder", SERVICE)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", list(sys.path))

        for _ in range(2):
            assert msp("check script_of_the_folder:Service").code == 0
        assert sys.path.count(str(tmp_path)) == 1

    @pytest.mark.parametrize(
        ("level", "files"), [("info", ["guestbook.py"]), ("debug", ["main.py", "guestbook.py"])]
    )
    def test_import_error_of_the_service(
        self, msp: Shell, installed: Installed, level: str, files: list[str]
    ) -> None:
        """A service that cannot be imported is shown by its own frames, unless somebody debugs."""
        installed.service("guestbook", "from json import nothing_like_it")
        answer = msp("run guestbook", {"SRC_LOG_LEVEL": level})
        shown = re.findall(r"  File .*?(\w+\.py)", answer.err)

        assert answer.code == 1
        assert answer.out == ""
        assert (shown[0], shown[-1]) == (files[0], files[-1])
        assert len(shown) == 1 or level == "debug"
        assert answer.err.splitlines()[-1].startswith("ImportError: cannot import name")

    def test_module(self) -> None:
        """`python -m msp_core` is `msp`; importing that module carries out nothing."""
        importlib.import_module("msp_core.__main__")
        command = [sys.executable, "-m", "msp_core", "--version"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - this interpreter

        assert done.stdout.startswith("msp 0.")
