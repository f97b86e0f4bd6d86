"""`msp check`: what is wrong, before a start says it."""

from __future__ import annotations

import pytest

from tests.msp_core.command_line import ENVIRON, LOGIN, NEEDY, Shell
from tests.msp_core.installed import SERVICE, Installed, plugin_source


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
