"""Jobs to run from outside, and what they said."""

from __future__ import annotations

from tests.msp_core.installed import Installed
from tests.msp_core.program import Program

WELL = """
@hookimpl
async def msp_execute(self, contract):
    return {"rows": 3}
"""


WAITING = """
@hookimpl
async def msp_execute(self, contract):
    logging.getLogger("probe").info("at work")
    await asyncio.Event().wait()
"""


AROUND = """
import asyncio, contextvars, logging
from contextlib import asynccontextmanager
from msp_core import *

log = logging.getLogger("around")
span = contextvars.ContextVar("span", default="none")

@hookimpl
def msp_integration():
    return Integration(name="{name}", config=Config, client=Client, open=open_client,
                       telemetry={telemetry})

import attrs
@attrs.frozen
class Config:
    url: str = env("{name}_URL")
class Client: ...
def open_client(config, contract): ...

class Around:
    async def __aenter__(self):
        {entering}
        log.info("entered {name}")
        span.set("{name}")
    async def __aexit__(self, kind, error, trace):
        log.info("left {name} with %s", kind and kind.__name__)
        {leaving}

@hookimpl
def msp_job_execution(contract, execution):
    {giving}
"""


def around(
    installed: Installed,
    name: str = "span",
    *,
    entering: str = "pass",
    leaving: str = "pass",
    giving: str = "return Around()",
    telemetry: bool = False,
) -> dict[str, str]:
    """Install a plugin that wraps executions; return the variables of a program that sees it."""
    parts = {"name": name, "entering": entering, "leaving": leaving, "giving": giving}
    source = AROUND.replace("{telemetry}", str(telemetry))
    for key, text in parts.items():
        source = source.replace(f"{{{key}}}", text)
    installed.plugin(name, source)
    return {"PYTHONPATH": str(installed.folder)}


def said(job: Program, scope: str = "around") -> list[str]:
    """Return the lines of one logger."""
    return [line["Body"] for line in job.lines if line["InstrumentationScope"] == scope]
