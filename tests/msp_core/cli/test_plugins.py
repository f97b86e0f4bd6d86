"""`msp plugins`: how far each plugin came."""

from __future__ import annotations

import sys

import pytest

from msp_core._plugins import cache
from tests.msp_core.command_line import APIS, ENVIRON, NEEDS, ROLES, Shell
from tests.msp_core.installed import SERVICE, Installed, plugin_source
from tests.msp_core.kept import IS_SITE, Environment


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
