"""Commands of `msp` that other distributions add."""

from __future__ import annotations

import re

import pytest

from tests.msp_core.command_line import Shell
from tests.msp_core.installed import Installed


class TestExtraCommands:
    SOURCE = """
        from msp_core.hookspecs import hookimpl
        from msp_core.integration import Command

        @hookimpl
        def msp_commands():
            configure = lambda parser: parser.add_argument("word")
            def run(arguments):
                print(arguments.word.upper())
                return 7
            return [
                Command(name="whisper", help="whisper", configure=configure, run=run),
                Command(name="shout", help="shout 100%", configure=configure, run=run),
            ]
    """

    def install(self, installed: Installed, source: str, name: str = "msp-shout") -> None:
        """Install a distribution that lists the command `shout`."""
        installed.distribution(name, entry_points={"msp.commands": {"shout": "shouting"}})
        installed.module("shouting", source)

    def test_run(self, msp: Shell, installed: Installed) -> None:
        """A command of another distribution gets its arguments and decides the exit code."""
        self.install(installed, self.SOURCE)
        answer = msp("shout aloud")

        assert (answer.code, answer.out) == (7, "ALOUD\n")
        assert "\n\nShout 100%.\n\n" in msp("shout --help").out

    def test_listed(self, msp: Shell, installed: Installed) -> None:
        """Help says what a command of another distribution does."""
        self.install(installed, self.SOURCE)

        assert re.search(r"shout +Shout 100%\.\n", msp("--help").out)

    @pytest.mark.parametrize("source", ["raise RuntimeError", "raise SystemExit(9)"])
    def test_broken_one_is_listed(self, msp: Shell, installed: Installed, source: str) -> None:
        """A command that cannot be imported is listed with its distribution."""
        self.install(installed, source)
        listed = re.sub(r"\s+", " ", msp("--help").out)

        assert "shout Cannot be imported, from msp-shout 0.1.0." in listed

    def test_others_are_not_imported(self, msp: Shell, installed: Installed) -> None:
        """Who asks for one command does not wait for the others."""
        self.install(installed, "raise SystemExit(9)")

        assert msp("dev --help").code == 0

    @pytest.mark.parametrize(
        ("command", "distribution"), [("dev", "msp-dev"), ("migrate", "msp-cloudsql")]
    )
    def test_not_installed(
        self, msp: Shell, monkeypatch: pytest.MonkeyPatch, command: str, distribution: str
    ) -> None:
        """A command that the pages name and that is not installed is told with what to install."""
        monkeypatch.setattr("msp_core._cli.main.extra_commands", dict)
        answer = msp(f"{command} guestbook")

        assert (answer.code, answer.out) == (2, "")
        assert answer.err == (
            f"msp: command {command!r} is not installed: run `pip install {distribution}`\n"
        )

    def test_not_read(self, msp: Shell, guestbook: Installed) -> None:
        """A built-in command does not care about a broken one."""
        self.install(guestbook, "raise RuntimeError")

        assert msp("env guestbook").code == 0

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            (
                "import nowhere",
                "cannot be imported: ModuleNotFoundError: No module named 'nowhere'",
            ),
            ("", "msp_commands gives no Command of that name"),
            ("raise SystemExit(9)", "cannot be imported: SystemExit: 9"),
            ("@hookimpl\ndef msp_commands(): return 7", "type int, expected a list of Command"),
            ("@hookimpl\ndef msp_commands(): return [7]", "type int, expected a list of Command"),
            ("@hookimpl\ndef msp_commands(): return []", "msp_commands gives no Command of that"),
            ("@hookimpl\ndef msp_commands(): raise LookupError", "msp_commands raised LookupError"),
            ("@hookimpl\ndef msp_command(): ...", "no hook: did you mean msp_commands?"),
        ],
    )
    def test_broken(self, msp: Shell, installed: Installed, source: str, expected: str) -> None:
        """A command that does not work is named with distribution and version."""
        self.install(installed, f"from msp_core.hookspecs import hookimpl\n{source}")
        answer = msp("shout aloud")

        assert answer.code == 1
        assert answer.err.startswith("msp: command 'shout', msp-shout 0.1.0: ")
        assert expected in answer.err

    def test_class(self, msp: Shell, installed: Installed) -> None:
        """An entry point that names a class is told so: nothing would make an object of it."""
        commands = {"shout": "shouting:Shout"}
        installed.distribution("msp-shout", entry_points={"msp.commands": commands})
        installed.module("shouting", "class Shout: ...")
        answer = msp("shout aloud")

        assert answer.code == 1
        assert "command 'shout', msp-shout 0.1.0: shouting:Shout is a class: " in answer.err

    def test_twice(self, msp: Shell, installed: Installed) -> None:
        """Two distributions must not provide commands of one name."""
        self.install(installed, "")
        installed.distribution("acme-shout", entry_points={"msp.commands": {"shout": "other"}})
        answer = msp("shout aloud")

        assert answer.code == 1
        assert "msp-shout 0.1.0" in answer.err
        assert "acme-shout 0.1.0" in answer.err
