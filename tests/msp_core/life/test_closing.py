"""Resources of a process: how they are opened, and closed in order."""

from __future__ import annotations

from tests.msp_core.installed import Installed
from tests.msp_core.life_sources import IDLE
from tests.msp_core.program import StartProgram

RESOURCE = """
import asyncio, logging
from contextlib import asynccontextmanager
import attrs
from msp_core import Integration, env, hookimpl

@attrs.frozen
class Config:
    url: str = env("{NAME}_URL", help="where it is")

class Client:
    pass

@asynccontextmanager
async def open_client(config, contract):
    {opening}
    yield Client()
    logging.getLogger("probe").info("closing {name}")
    {closing}

@hookimpl
def msp_integration():
    return Integration(name="{name}", config=Config, client=Client, open=open_client)

@hookimpl
def msp_log_processor(contract):
    return lambda record, fields: fields.update({name}=contract.version)
"""


def resource(installed: Installed, name: str, opening: str = "", closing: str = "") -> None:
    """Install a plugin with one resource."""
    parts = {"name": name, "NAME": name.upper(), "opening": opening, "closing": closing}
    source = RESOURCE
    for key, text in parts.items():
        source = source.replace(f"{{{key}}}", text or "pass")
    installed.plugin(name, source)


def test_resources_close_in_reverse(program: StartProgram, installed: Installed) -> None:
    """Resources are closed after the routine, in reverse, each with its own entry in the ledger."""
    for name in ("one", "two", "off"):
        resource(installed, name)
    service = program(
        IDLE,
        {"PYTHONPATH": str(installed.folder), "ONE_URL": "x", "TWO_URL": "y"},
        head='PLUGINS = ("one", "two", "off")',
    )

    assert service.stop() == 0
    assert [step["name"] for step in service.ledger()["steps"]] == ["idle", "two", "one"]
    (started,) = [line for line in service.lines if line["Body"] == "service started"]
    assert started["Attributes"]["integrations"] == ["one", "two"]
    assert started["Attributes"]["two"] == "1.2.3"


def test_resource_that_hangs(program: StartProgram, installed: Installed) -> None:
    """A resource that hangs while closing is named, the others are closed; exit 70."""
    resource(installed, "one")
    resource(installed, "two", closing="await asyncio.Event().wait()")
    service = program(
        IDLE,
        {
            "PYTHONPATH": str(installed.folder),
            "ONE_URL": "x",
            "TWO_URL": "y",
            "MSP_SHUTDOWN_BUDGET": "1s",
        },
        head='PLUGINS = ("one", "two")',
    )

    assert service.stop() == 70
    assert "closing one" in service.stderr
    outcomes = {step["name"]: step["outcome"] for step in service.ledger()["steps"]}
    assert outcomes == {"idle": "ok", "two": "hung", "one": "ok"}


def test_resource_that_fails_to_close(program: StartProgram, installed: Installed) -> None:
    """A resource that fails to close is logged with its cause; exit 1."""
    resource(installed, "one", closing="raise OSError('rows lost')")
    service = program(
        IDLE,
        {"PYTHONPATH": str(installed.folder), "ONE_URL": "x"},
        head='PLUGINS = ("one",)',
    )

    assert service.stop() == 1
    assert 'stop failed: close "one": rows lost' in service.errors()


def test_resource_that_fails_to_open(program: StartProgram, installed: Installed) -> None:
    """A resource that cannot be opened ends the start; what was opened before is closed."""
    resource(installed, "one")
    resource(installed, "two", opening="raise OSError('no such host')")
    service = program(
        IDLE,
        {"PYTHONPATH": str(installed.folder), "ONE_URL": "x", "TWO_URL": "y"},
        head='PLUGINS = ("one", "two")',
    )

    assert service.code() == 1
    assert "service failed to start: no such host" in service.errors()
    assert "closing one" in service.stderr
    assert service.ledger()["reason"] == "failed start"


def test_closing_fails_before_telemetry_is_closed(
    program: StartProgram, installed: Installed
) -> None:
    """What goes wrong while resources are closed is logged while telemetry can still report it."""
    resource(installed, "one")
    resource(installed, "two", closing="raise OSError('rows lost')")
    service = program(
        IDLE,
        {"PYTHONPATH": str(installed.folder), "ONE_URL": "x", "TWO_URL": "y"},
        head='PLUGINS = ("one", "two")',
    )

    assert service.stop() == 1
    texts = [line["Body"] for line in service.lines]
    assert texts.index('stop failed: close "two": rows lost') < texts.index("closing one")
