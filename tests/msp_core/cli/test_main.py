"""The commands of `msp`, on services that are installed for the test only."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from msp_core._cli.main import main
from msp_core._plugins import cache
from tests.msp_core.installed import SERVICE, Installed, plugin_source
from tests.msp_core.kept import IS_SITE, Environment
from tests.search_path import search_path

CONFIG = """
    import attrs
    from typing import Literal
    from msp_core.config import Secret, env
    from msp_core.hookspecs import hookimpl

    @attrs.frozen
    class Config:
        greeting: str = env("GREETING", default="hello", help="first|word")
        mood: Literal["good", "bad"] = env("MOOD", default="good")
        token: Secret = env("TOKEN", help="signs cookies")

    class Service:
        name = "guestbook"
        version = "1.2.3"
        config = Config

        @hookimpl
        async def msp_initialize(self): ...
"""
LOGIN = """
@attrs.frozen
class Local:
    dsn: str = env("KV_DSN", forbidden_when_msp=True)

@attrs.frozen
class Login:
    host: str = env("KV_HOST")
    user: str = env("KV_USER", help="who logs in")
"""
NEEDS = """
    roles=(
        Role(name="roles/kv.client", purpose="reading"),
        Role(name="roles/kv.admin", purpose="writing", when="it writes"),
    ),
    apis=(API(name="kv.example", purpose="reading and writing"),),
"""
ROLES: list[dict[str, str | None]] = [
    {"name": "roles/kv.client", "purpose": "reading", "when": None},
    {"name": "roles/kv.admin", "purpose": "writing", "when": "it writes"},
]
APIS: list[dict[str, str | None]] = [
    {"name": "kv.example", "purpose": "reading and writing", "when": None}
]
ENVIRON = {"PORT": "0", "TOKEN": "hunter2"}


@attrs.frozen
class Answer:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, parsed."""
        return json.loads(self.out)


@attrs.frozen
class Shell:
    """Carries out command lines in this process."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, line: str, environ: Mapping[str, str] = ENVIRON) -> Answer:
        """Carry out one; a usage error of argparse is an answer too."""
        try:
            code = main(line.split(), environ)
        except SystemExit as left:
            code = int(left.code or 0)
        captured = self.capsys.readouterr()
        return Answer(code, captured.out, captured.err)


@pytest.fixture
def msp(capsys: pytest.CaptureFixture[str]) -> Shell:
    """Give what carries out command lines."""
    return Shell(capsys)


@pytest.fixture
def guestbook(installed: Installed) -> Installed:
    """Install a service with a config of its own and one plugin that has alternatives."""
    installed.plugin("kv", plugin_source("login: Local | Login", before=LOGIN))
    installed.service("guestbook", CONFIG, requires=["msp-kv"])
    return installed


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


class TestEnv:
    def test_table(self, msp: Shell, guestbook: Installed) -> None:
        """The table is aligned, grouped by owner, and says what is set without its value."""
        answer = msp("env guestbook")
        lines = answer.out.splitlines()

        assert lines[0].split() == ["variable", "type", "default", "set", "meaning"]
        assert lines[1] == "service 'guestbook'"
        assert [line.split(maxsplit=4) for line in lines[2:5]] == [
            ["GREETING", "text", "hello", "-", "first|word"],
            ["MOOD", "choice", "good", "-", "one of good, bad"],
            ["TOKEN", "secret", "(required)", "yes", "signs cookies"],
        ]
        meaning = lines[0].index("meaning")
        assert [line[meaning - 1 : meaning + 5] for line in lines[2:5]] == [
            " first",
            " one o",
            " signs",
        ]
        assert lines[5] == "core"
        assert lines.index("plugin 'kv', msp-kv 0.1.0") > 5
        assert "hunter2" not in answer.out

    def test_empty(self, msp: Shell, guestbook: Installed) -> None:
        """What may be set to nothing is marked, and set to nothing it is not set."""
        lines = msp("env guestbook", {"SRC_DEVELOPMENT": "", "SRC_LOG_LEVEL": "warn"}).out
        rows = {line.split()[0]: line for line in lines.splitlines()}

        assert rows["SRC_DEVELOPMENT"].split()[:4] == ["SRC_DEVELOPMENT", "text", "(optional)", "-"]
        assert rows["SRC_LOG_LEVEL"].split()[:4] == ["SRC_LOG_LEVEL", "text", "info", "yes"]
        assert rows["SRC_LOG_LEVEL"].endswith("; empty counts as unset")

    def test_group(self, msp: Shell, guestbook: Installed) -> None:
        """What goes together, and what a live platform refuses, is part of the meaning."""
        out = msp("env guestbook").out

        assert "who logs in; set KV_DSN, or KV_HOST with KV_USER" in out
        assert "set KV_DSN, or KV_HOST with KV_USER; not allowed with MSP=true" in out

    def test_dotenv(self, msp: Shell, guestbook: Installed) -> None:
        """A dotenv file leaves open what is required and comments out the rest."""
        answer = msp("env guestbook --format dotenv")

        assert answer.out.startswith(
            "### service 'guestbook'\n\n"
            "# text: first|word\n# GREETING=hello\n\n"
            "# choice: one of good, bad\n# MOOD=good\n\n"
            "# secret: signs cookies\nTOKEN=\n\n### core\n\n"
        )

    def test_markdown(self, msp: Shell, guestbook: Installed) -> None:
        """Markdown has a table for each owner, with bars escaped."""
        answer = msp("env guestbook --format markdown")

        assert answer.out.startswith(
            "## service 'guestbook'\n\n"
            "| variable | type | default | meaning |\n"
            "| --- | --- | --- | --- |\n"
            "| `GREETING` | text | `hello` | first\\|word |\n"
            "| `MOOD` | choice | `good` | one of good, bad |\n"
            "| `TOKEN` | secret | (required) | signs cookies |\n\n## core\n\n"
        )

    def test_json(self, msp: Shell, guestbook: Installed) -> None:
        """JSON has one record per variable, of the documented shape."""
        found = msp("env guestbook --format json").json
        variables = {record["name"]: record for record in found["variables"]}

        assert found["service"] == {
            "name": "guestbook",
            "version": "1.2.3",
            "kind": "service",
            "distribution": "guestbook",
        }
        assert variables["TOKEN"] == {
            "name": "TOKEN",
            "owner": "service 'guestbook'",
            "type": "secret",
            "form": "",
            "choices": [],
            "required": True,
            "default": None,
            "help": "signs cookies",
            "secret": True,
            "forbidden_when_msp": False,
            "empty_is_unset": False,
            "alone_is_unset": False,
            "group": None,
            "set": True,
        }
        assert variables["KV_HOST"]["group"] == {
            "choices": [["KV_DSN"], ["KV_HOST", "KV_USER"]],
            "optional": True,
        }

    def test_json_needs(self, msp: Shell, installed: Installed) -> None:
        """JSON tells what Google must grant and enable, and for whom."""
        installed.plugin("kv", plugin_source(needs=NEEDS))
        installed.service("guestbook", SERVICE, requires=["msp-kv"])
        found = msp("env guestbook --format json").json
        owner = "plugin 'kv', msp-kv 0.1.0"

        assert found["roles"] == [{**role, "owner": owner} for role in ROLES]
        assert found["apis"] == [{**api, "owner": owner} for api in APIS]

    def test_json_schema(self, msp: Shell, guestbook: Installed) -> None:
        """The schema of the whole service is JSON."""
        found = msp("env guestbook --format json-schema").json

        assert found["title"] == "variables of guestbook 1.2.3"
        assert found["required"] == ["TOKEN", "PORT"]


class TestPlugins:
    def test_table(self, msp: Shell, guestbook: Installed) -> None:
        """The table says for each plugin how far it came and why."""
        guestbook.plugin("zz", "raise RuntimeError")
        answer = msp("plugins guestbook", {**ENVIRON, "KV_DSN": "hunter2"})
        lines = answer.out.splitlines()

        assert answer.code == 0
        assert lines[0].split() == ["plugin", "distribution", "version", "state", "reason"]
        assert " ".join(lines[1].split()) == (
            "kv msp-kv 0.1.0 configured required by guestbook, configured by KV_DSN"
        )
        assert lines[-2].endswith(
            "installed   installed 0.1.0, not declared in the dependencies of guestbook"
        )
        assert lines[-1] == "Declaration: read from metadata"

    def test_kept(self, msp: Shell, guestbook: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
        """Table and JSON say whether the declaration is from an earlier start."""
        monkeypatch.setattr(cache, "_is_site", IS_SITE)
        monkeypatch.setattr(sys, "prefix", str(guestbook.folder.parent))
        Environment(guestbook).age()
        first = msp("plugins guestbook --format json").json["cached"]

        assert not first
        assert msp("plugins guestbook --format json").json["cached"]
        assert msp("plugins guestbook").out.endswith("\nDeclaration: kept by an earlier start\n")
        assert not msp("plugins --format json --plugins kv guestbook").json["cached"]

    def test_json(self, msp: Shell, guestbook: Installed) -> None:
        """JSON has one record per plugin, of the documented shape."""
        found = msp("plugins guestbook --format json").json

        assert found["service"] == "guestbook"
        assert found["plugins"][0] == {
            "name": "kv",
            "distribution": "msp-kv",
            "version": "0.1.0",
            "installed": True,
            "declared": True,
            "loaded": True,
            "configured": False,
            "needed": False,
            "state": "loaded",
            "reason": (
                "required by guestbook, not configured because neither KV_DSN nor KV_HOST with"
                " KV_USER is set"
            ),
            "roles": [],
            "apis": [],
        }

    @pytest.mark.parametrize("plugins", ["kv", "kv,gone"])
    def test_json_needs(self, msp: Shell, installed: Installed, plugins: str) -> None:
        """JSON tells what Google must grant and enable, whatever became of other plugins."""
        installed.plugin("kv", plugin_source(needs=NEEDS))
        installed.service("guestbook", SERVICE, requires=["msp-kv"])
        found = msp(f"plugins guestbook --format json --plugins {plugins}").json

        assert found["plugins"][0]["roles"] == ROLES
        assert found["plugins"][0]["apis"] == APIS

    def test_missing(self, msp: Shell, guestbook: Installed) -> None:
        """What is missing is shown in the table and reported as an error."""
        answer = msp("plugins guestbook --plugins kv,gone")

        assert answer.code == 1
        assert "gone - - missing given in plugins= but" in " ".join(answer.out.split())
        assert answer.err.startswith("msp: plugin 'gone' is given in plugins= but no installed")

    def test_without_service(self, msp: Shell, guestbook: Installed) -> None:
        """With several services and no name, what is installed is listed."""
        guestbook.service("shop", SERVICE)
        found = msp("plugins --format json").json

        assert found["service"] is None
        assert "installed 0.1.0; no service was named" in [it["reason"] for it in found["plugins"]]


class TestCheck:
    def test_fine(self, msp: Shell, guestbook: Installed) -> None:
        """A service that could start is said to, line by line, and nothing is opened."""
        answer = msp("check guestbook", {**ENVIRON, "KV_DSN": "hunter2"})

        assert answer.code == 0
        assert answer.out.splitlines()[0] == (
            "pass     kv: required by guestbook, configured by KV_DSN"
        )
        assert answer.out.splitlines()[-1] == "Summary: 4 passed, 0 warnings, 0 failed"
        assert "hunter2" not in answer.out

    def test_problems(self, msp: Shell, guestbook: Installed) -> None:
        """Each problem has its line, warnings do not fail, and no value is shown."""
        answer = msp("check guestbook", {"PORT": "hunter2", "KV_USER": "x", "GREETIN": "hunter3"})
        lines = answer.out.splitlines()

        assert answer.code == 78
        assert [line[:21].strip() for line in lines if line.startswith("fail")] == [
            "fail     PORT is not",
            "fail     KV_HOST is m",
            "fail     TOKEN is mis",
        ]
        assert "warning  GREETIN is set but read by nobody: did you mean GREETING?" in lines
        assert lines[-1] == "Summary: 0 passed, 2 warnings, 3 failed"
        assert "hunter" not in answer.out

    def test_ignored(self, msp: Shell, installed: Installed) -> None:
        """A value that would be ignored is a warning."""
        lenient = 'rate: float = env("RATE", default=1.0, invalid_is_unset=True)'
        installed.plugin("kv", plugin_source(lenient))
        installed.service("guestbook", SERVICE, requires=["msp-kv"])
        answer = msp("check guestbook", {"PORT": "0", "RATE": "hunter2"})

        assert answer.code == 0
        assert "warning  RATE is not a number: expected" in answer.out
        assert "the value is ignored" in answer.out
        assert "hunter2" not in answer.out

    def test_ignored_though_it_asks_for_a_plugin(self, msp: Shell, installed: Installed) -> None:
        """A value that would be ignored is a failure where a plugin would do nothing for it."""
        lenient = 'url: int | None = env("URL", required=True, invalid_is_unset=True)'
        installed.plugin("kv", plugin_source(lenient))
        installed.service("guestbook", SERVICE, requires=["msp-kv"])
        answer = msp("check guestbook", {"PORT": "0", "URL": "hunter2"})

        assert answer.code == 78
        assert "fail     URL is not an integer: expected" in answer.out
        unconfigured = "kv: required by guestbook, not configured because URL is not an integer"
        assert f"warning  {unconfigured}" in answer.out
        assert "Summary: 1 passed, 1 warnings, 1 failed" in answer.out
        assert "hunter2" not in answer.out

    def test_broken_plugin(self, msp: Shell, guestbook: Installed) -> None:
        """A plugin that cannot be loaded fails the check, whatever the variables are."""
        guestbook.plugin("broken", "import nowhere")
        answer = msp("check guestbook --plugins kv,broken", {})

        assert answer.code == 1
        assert "fail     broken: given in plugins=, not loaded because" in answer.out
        assert answer.out.splitlines()[-1] == "Summary: 0 passed, 1 warnings, 1 failed"

    def test_plugins_that_do_not_fit_together(self, msp: Shell, guestbook: Installed) -> None:
        """Plugins that load alone and not together fail the check too."""
        guestbook.plugin("copy", "from fake_kv import msp_integration")
        answer = msp("check guestbook --plugins kv,copy")

        assert answer.code == 1
        assert "gives a client of type Client as does plugin 'kv'" in answer.out

    def test_json(self, msp: Shell, guestbook: Installed) -> None:
        """JSON has one record per finding, with ids that do not change with versions."""
        answer = msp("check guestbook --format json", {"TOKEN": "x"})
        found = answer.json

        assert answer.code == 78
        assert found["service"] == "guestbook"
        assert [(check["id"], check["status"]) for check in found["checks"]] == [
            ("plugin.kv", "warning"),
            ("variables.service", "pass"),
            ("variables.plugin.kv", "pass"),
            ("variable.PORT", "fail"),
        ]
        assert found["summary"] == {"passed": 2, "warnings": 1, "failed": 1}

    def test_core_without_problems(self, msp: Shell, guestbook: Installed) -> None:
        """The core's variables have a finding of their own."""
        checks = msp("check guestbook --format json").json["checks"]

        assert "variables.core" in [check["id"] for check in checks]


NEEDY = """
    from fake_kv import Client
    from msp_core.hookspecs import hookimpl

    class Service:
        name = "guestbook"
        version = "1"
        needs = (Client,)

        @hookimpl
        async def msp_initialize(self): ...
"""


class TestCheckStrictly:
    def test_warnings_fail(self, msp: Shell, guestbook: Installed) -> None:
        """What may be meant so is a failure for those who do not mean it so."""
        lenient = msp("check guestbook --format json")
        strict = msp("check guestbook --format json --strict")
        before, after = lenient.json["checks"], strict.json["checks"]

        assert (lenient.code, strict.code) == (0, 78)
        assert [it["id"] for it in before if it["status"] == "warning"] == ["plugin.kv"]
        assert [it["id"] for it in after if it["status"] == "fail"] == ["plugin.kv"]
        assert strict.json["summary"]["passed"] == lenient.json["summary"]["passed"]

    def test_nothing_to_warn_of(self, msp: Shell, guestbook: Installed) -> None:
        """A service that has everything passes."""
        assert msp("check guestbook --strict", {**ENVIRON, "KV_DSN": "dsn"}).code == 0

    def test_plugin(self, msp: Shell, guestbook: Installed) -> None:
        """A plugin that cannot be loaded stays the worse failure."""
        guestbook.plugin("broken", "import nowhere")

        assert msp("check guestbook --plugins kv,broken --strict").code == 1


class TestCheckOfAnImage:
    def test_nothing_is_missing(self, msp: Shell, guestbook: Installed) -> None:
        """The build of an image has no port, no secrets and no resources."""
        answer = msp("check guestbook --image --strict", {})

        assert answer.code == 0
        assert answer.out.splitlines()[0] == "pass     kv: msp-kv is loaded"
        assert answer.out.splitlines()[-1] == "Summary: 4 passed, 0 warnings, 0 failed"

    def test_needs(self, msp: Shell, installed: Installed) -> None:
        """Nor is what the service cannot do without."""
        installed.plugin("kv", plugin_source("login: Local | Login", before=LOGIN))
        installed.service("guestbook", NEEDY, requires=["msp-kv"])

        assert msp("check guestbook --image", {}).code == 0
        assert msp("check guestbook", {}).code == 78

    def test_what_is_set(self, msp: Shell, guestbook: Installed) -> None:
        """What the image sets is judged."""
        environ = {"MOOD": "ugly", "GREETIN": "hi", "PORT": "web"}
        answer = msp("check guestbook --image --format json", environ)

        assert answer.code == 78
        assert [(it["id"], it["status"]) for it in answer.json["checks"]] == [
            ("plugin.kv", "pass"),
            ("variables.plugin.kv", "pass"),
            ("variable.PORT", "fail"),
            ("variable.MOOD", "fail"),
            ("variable.GREETIN", "warning"),
        ]

    def test_broken_plugin(self, msp: Shell, guestbook: Installed) -> None:
        """A plugin that the image lacks, or that cannot be imported there, fails."""
        guestbook.plugin("broken", "import nowhere")
        answer = msp("check guestbook --image --plugins kv,broken", {})

        assert answer.code == 1
        assert "pass     kv: msp-kv is loaded" in answer.out
        assert "fail     broken: given in plugins=, not loaded because" in answer.out


JUDGE = """
@hookimpl
def msp_check_service(service):
    return {}
"""


class TestCheckOfTheInstalledService:
    @pytest.mark.parametrize("image", ["", " --image"])
    def test_problem(self, msp: Shell, installed: Installed, image: str) -> None:
        """What a plugin finds wrong with it is a problem of the configuration, variables or not."""
        judge = plugin_source() + JUDGE.format('[f"{service.name} lacks its letters: ship them"]')
        installed.plugin("kv", judge)
        installed.service("guestbook", SERVICE, requires=["msp-kv"])
        answer = msp(f"check guestbook{image} --format json", {"PORT": "0"})
        failed = [it for it in answer.json["checks"] if it["status"] == "fail"]

        assert answer.code == 78
        assert failed == [
            {
                "id": "service.kv",
                "status": "fail",
                "message": "kv: guestbook lacks its letters: ship them",
            }
        ]

    def test_well(self, msp: Shell, installed: Installed) -> None:
        """One without problems says so by an empty list."""
        installed.plugin("kv", plugin_source() + JUDGE.format("[]"))
        installed.service("guestbook", SERVICE, requires=["msp-kv"])

        assert msp("check guestbook --image", {}).code == 0

    @pytest.mark.parametrize(
        ("result", "expected"),
        [
            ("1 / 0", "msp_check_service raised ZeroDivisionError"),
            ("'text'", "msp_check_service returned a value of type str, expected a list of texts"),
            ("[1]", "msp_check_service returned a value of type int, expected a list of texts"),
        ],
    )
    def test_broken(self, msp: Shell, installed: Installed, result: str, expected: str) -> None:
        """A plugin that cannot judge fails the check as a broken plugin does."""
        installed.plugin("kv", plugin_source() + JUDGE.format(result))
        installed.service("guestbook", SERVICE, requires=["msp-kv"])
        answer = msp("check guestbook --image", {})

        assert answer.code == 1
        assert expected in answer.out


class TestNeeds:
    @pytest.fixture
    def needy(self, installed: Installed) -> Installed:
        """Install a service that cannot do without the client of its plugin."""
        installed.plugin("kv", plugin_source("login: Local | Login", before=LOGIN))
        installed.service("guestbook", NEEDY, requires=["msp-kv"])
        return installed

    def test_check(self, msp: Shell, needy: Installed) -> None:
        """What is needed and not configured is a problem, told as any other."""
        answer = msp("check guestbook --format json", {"PORT": "0"})
        failed = {it["id"]: it["message"] for it in answer.json["checks"] if it["status"] == "fail"}

        assert answer.code == 78
        assert failed["plugin.kv"] == (
            "kv: required by guestbook, needed by the service, "
            "not configured because KV_DSN, KV_HOST, KV_USER are missing"
        )
        assert failed["variable.KV_DSN, KV_HOST, KV_USER"] == (
            "KV_DSN, KV_HOST, KV_USER are missing: expected KV_DSN, or KV_HOST with KV_USER; "
            "service 'guestbook' cannot do without 'kv' (needed by plugin 'kv', msp-kv 0.1.0)"
        )

    def test_configured(self, msp: Shell, needy: Installed) -> None:
        """Once configured, it is as if nothing had been said."""
        answer = msp("check guestbook --format json --strict", {"PORT": "0", "KV_DSN": "dsn"})

        assert answer.code == 0
        assert answer.json["checks"][0]["message"] == (
            "kv: required by guestbook, needed by the service, configured by KV_DSN"
        )

    def test_plugins(self, msp: Shell, needy: Installed) -> None:
        """The state of the plugin says that it is needed."""
        plugin, *_ = msp("plugins guestbook --format json", {"PORT": "0"}).json["plugins"]

        assert (plugin["needed"], plugin["configured"]) == (True, False)

    def test_env(self, msp: Shell, needy: Installed) -> None:
        """The variables of what is needed are required, for every reader of the list."""
        found = msp("env guestbook --format json").json["variables"]
        (group,) = [it["group"] for it in found if it["name"] == "KV_DSN"]

        assert not group["optional"]
        assert {"anyOf": [{"required": ["KV_DSN"]}, {"required": ["KV_HOST", "KV_USER"]}]} in msp(
            "env guestbook --format json-schema"
        ).json["allOf"]

    def test_start(self, needy: Installed) -> None:
        """The start ends with the same report and 78, before anything is opened."""
        with Process(needy.folder).start("guestbook", PORT="0") as running:
            _, err = running.communicate(timeout=60)

        assert running.returncode == 78
        assert "service 'guestbook' cannot do without 'kv'" in err

    def test_undeclared(self, msp: Shell, installed: Installed) -> None:
        """A client of a plugin that is not declared is told with the line to add."""
        installed.plugin("kv", plugin_source("login: Local | Login", before=LOGIN))
        installed.service("guestbook", NEEDY, requires=["msp-core"])
        answer = msp("check guestbook")

        assert answer.code == 2
        assert answer.err == (
            "msp: service 'guestbook' needs Client: plugin 'kv' is not declared: add 'msp-kv' to "
            "the dependencies in the pyproject.toml of guestbook\n"
        )

    @pytest.mark.parametrize("needs", ["Client", '("redis",)', "7"])
    def test_no_types(self, msp: Shell, needy: Installed, needs: str) -> None:
        """A name, or a type alone, is told to be wrong and how to write it."""
        needy.module("shop", NEEDY.replace("(Client,)", needs))
        answer = msp("check shop:Service --plugins kv")

        assert answer.code == 2
        assert "`needs` is not a tuple of types: expected" in answer.err


ROUTINE = """
    import attrs
    import asyncio
    from msp_core.hookspecs import hookimpl

    class Wait:
        name = "wait"
        async def start(self):
            self.stopping = asyncio.Event()
            await self.stopping.wait()
        async def stop(self, deadline):
            self.stopping.set()

    class Service:
        name = "guestbook"
        version = "1.2.3"
        @hookimpl
        async def msp_initialize(self):
            return Wait()
"""


JOB = """
    from msp_core import hookimpl

    class Service:
        name = "tidy"
        version = "1.2.3"
        @hookimpl
        def msp_execute(self): ...
"""


@attrs.frozen
class Process:
    """Starts `msp run`, or another command, as a process of its own."""

    folder: Path
    command: str = "run"

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start it with the folder's modules, and only these variables beside the usual ones."""
        return subprocess.Popen(  # noqa: S603 - this interpreter
            [sys.executable, "-m", "msp_core", self.command, *arguments],
            env={**os.environ, **search_path(self.folder), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


class TestRun:
    @pytest.fixture
    def process(self, installed: Installed) -> Process:
        """Install a service that waits, and give what starts it."""
        installed.service("guestbook", ROUTINE)
        return Process(installed.folder)

    def test_events(self, process: Process) -> None:
        """With JSON, stdout has one line when ready and one when stopped."""
        with process.start("guestbook", "--format", "json", PORT="0") as running:
            assert running.stdout is not None
            ready = json.loads(running.stdout.readline())
            running.send_signal(signal.SIGTERM)
            stopped = json.loads(running.communicate(timeout=60)[0])

        assert ready == {"event": "ready", "name": "guestbook", "version": "1.2.3", "port": 0}
        assert stopped == {"event": "stopped", "name": "guestbook", "exit_code": 0}
        assert running.returncode == 0

    @pytest.mark.parametrize("command", ["run", "job"])
    def test_job(self, installed: Installed, command: str) -> None:
        """A job is executed by both commands, and never ready."""
        installed.service("tidy", JOB)
        process = Process(installed.folder, command)
        with process.start("tidy", "--format", "json") as running:
            out, _ = running.communicate(timeout=60)

        assert running.returncode == 0
        assert json.loads(out) == {"event": "stopped", "name": "tidy", "exit_code": 0}

    def test_service_as_job(self, installed: Installed) -> None:
        """`msp job` refuses a service and says what starts it."""
        installed.service("guestbook", ROUTINE)
        with Process(installed.folder, "job").start("guestbook") as running:
            _, err = running.communicate(timeout=60)

        assert running.returncode == 2
        assert err == (
            "msp: 'guestbook' is a service, expected a job: start it with start() or msp run\n"
        )

    def test_problems(self, process: Process) -> None:
        """A wrong environment leaves with 78, and stdout stays empty."""
        with process.start("guestbook", PORT="hunter2") as running:
            out, err = running.communicate(timeout=60)

        assert (running.returncode, out) == (78, "")
        assert "PORT" in err
        assert "hunter2" not in err

    def test_arguments(self, process: Process) -> None:
        """What stands after -- is the service's: its help lists its variables."""
        with process.start("guestbook", "--", "--help") as running:
            out, _ = running.communicate(timeout=60)

        assert running.returncode == 0
        assert out.startswith("SERVICE: guestbook\nVERSION: 1.2.3\n")
