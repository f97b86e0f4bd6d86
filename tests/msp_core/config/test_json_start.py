"""Variables that hold JSON, seen from outside: starts, reports, log lines, commands."""

from __future__ import annotations

import json

import pytest

from msp_core._cli.main import main
from tests.msp_core.installed import Installed
from tests.msp_core.program import StartProgram

HEAD = """
import attrs
from msp_core import Secret, env

@attrs.frozen(kw_only=True)
class Tenant:
    name: str
    rate: float
    token: Secret

@attrs.frozen(kw_only=True)
class Config:
    tenants: list[Tenant] = env("TENANTS", help="who may call")
    limits: dict[str, int] = env("LIMITS", default={"free": 10}, help="calls per second")
"""
BODY = """
config = Config
@hookimpl
async def msp_initialize(self, config):
    tenant = config.tenants[0]
    logging.getLogger("probe").info("%s pays with %s", tenant.name, tenant.token.reveal())
    return NoopRoutine("idle")
"""
IDLE = """
@hookimpl
async def msp_initialize(self, contract):
    logging.getLogger("probe").info("cattrs is loaded: %s", "cattrs" in sys.modules)
    return NoopRoutine("idle")
"""
TENANTS = [{"name": "acme", "rate": 1.5, "token": 's3"cret'}]


def test_start_without_json_does_not_import_cattrs(program: StartProgram) -> None:
    """A service that declares no such variable does not pay for it."""
    service = program(IDLE)

    assert service.stop() == 0
    assert any(line["Body"] == "cattrs is loaded: False" for line in service.lines)


def test_nested_secret_is_hidden_in_log_lines(program: StartProgram) -> None:
    """A secret in JSON is as hidden as one that is a variable; what stands beside it is not."""
    service = program(BODY, {"TENANTS": json.dumps(TENANTS)}, head=HEAD)

    assert service.stop() == 0
    assert any(line["Body"] == "acme pays with ***" for line in service.lines)
    assert "s3" not in service.stderr


def test_three_mistakes_are_three_log_lines(program: StartProgram) -> None:
    """A start that fails tells every mistake with its path, and none of the values."""
    tenants = [{"name": 1234, "rate": "fast", "tokn": "t0ken"}]
    service = program(BODY, {"TENANTS": json.dumps(tenants)}, head=HEAD)

    assert service.code() == 78
    told = [line["Body"] for line in service.lines if "TENANTS" in line["Body"]]
    remark = "(needed by service 'probe': who may call)"
    number = "a number of 64 bits without quotes, such as 0.25"
    keys = "no other keys than name, rate, token; did you mean token?"
    assert told[:4] == [
        f"TENANTS: $[0].name is not a text: expected a text in double quotes {remark}",
        f"TENANTS: $[0].rate is not a number: expected {number} {remark}",
        f"TENANTS: $[0].token is not given: expected a text in double quotes {remark}",
        f"TENANTS: $[0] has an unknown key: expected {keys} {remark}",
    ]
    assert not any(value in service.stderr for value in ("1234", "fast", "tokn", "t0ken"))


def test_commands_say_that_it_is_json(
    installed: Installed, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who fills in a manifest sees the type, the default, and in JSON the whole schema."""
    installed.service(
        "guestbook",
        f"{HEAD}\nfrom msp_core import hookimpl\nclass Service:\n"
        "    name, version, config = 'guestbook', '1', Config\n"
        "    @hookimpl\n    async def msp_initialize(self, contract): ...\n",
    )
    environ = {"PORT": "0", "TENANTS": "[{}]"}

    def run(line: str) -> str:
        main(line.split(), environ)
        return capsys.readouterr().out

    found = {
        one["name"]: one for one in json.loads(run("env guestbook --format json"))["variables"]
    }
    assert found["TENANTS"]["type"] == "JSON"
    assert found["TENANTS"]["secret"]
    assert found["TENANTS"]["form"] == "a JSON array"
    assert found["TENANTS"]["schema"]["items"]["required"] == ["name", "rate", "token"]
    assert found["LIMITS"]["default"] == '{"free":10}'
    assert "schema" not in found["PORT"]
    assert '| `LIMITS` | JSON | `{"free":10}` | calls per second |' in run(
        "env guestbook --format markdown"
    )
    assert '# JSON: calls per second\n# LIMITS={"free":10}' in run("env guestbook --format dotenv")
    failed = [
        one
        for one in json.loads(run("check guestbook --format json"))["checks"]
        if one["status"] == "fail"
    ]
    assert [(one["id"], one["message"].partition(":")[2][:22]) for one in failed] == [
        ("variable.TENANTS", " $[0].name is not give"),
        ("variable.TENANTS", " $[0].rate is not give"),
        ("variable.TENANTS", " $[0].token is not giv"),
    ]
