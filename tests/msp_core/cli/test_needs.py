"""What a service says that it cannot do without, in every command."""

from __future__ import annotations

import pytest

from tests.msp_core.command_line import LOGIN, NEEDY, Process, Shell
from tests.msp_core.installed import Installed, plugin_source


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
