"""`msp env`: the variables of a service."""

from __future__ import annotations

from tests.msp_core.command_line import APIS, NEEDS, ROLES, Shell
from tests.msp_core.installed import SERVICE, Installed, plugin_source


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
