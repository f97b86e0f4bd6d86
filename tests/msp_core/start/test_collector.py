"""When the garbage collector runs while a process starts, and what it looks at afterwards."""

from __future__ import annotations

import gc

import pytest

from msp_core import ServiceContract, run
from msp_core._start.collector import YOUNG
from tests.msp_core.life_sources import Waiting
from tests.msp_core.program import StartProgram

HEAD = """
import gc, sys
usual = gc.get_threshold() if __name__ == "__main__" else sys.modules["__main__"].usual

def look(moment):
    limits = gc.get_threshold()
    name = "usual" if limits == usual else limits[0]
    print(moment, name, gc.isenabled(), gc.get_freeze_count() > 10_000)
"""

SERVICE = """
look("class") if __name__ == "probe" else None

@hookimpl
async def msp_initialize(self, contract):
    look("initialize")
    return CallbackRoutine("looking", stop=self.stop)

async def stop(self, deadline):
    look("stop")
"""


def test_a_start_collects_little_and_leaves_it_aside(program: StartProgram) -> None:
    """From the import of a service on garbage waits; what the start made is not looked at again."""
    service = program(SERVICE, head=HEAD, foot='start("probe:Service", plugins=())')

    assert service.stop() == 0
    assert service.stdout.splitlines() == [
        f"class {YOUNG} True False",
        f"initialize {YOUNG} True False",
        "stop usual True True",
    ]


def test_a_job_collects_as_usual(program: StartProgram) -> None:
    """The work of a job may make much garbage, so only what comes before it waits."""
    job = program("@hookimpl\nasync def msp_execute(self, contract):\n    look('work')", head=HEAD)

    assert job.code() == 0
    assert job.stdout == "work usual True True\n"


@pytest.mark.parametrize(
    ("own", "started"),
    [("gc.disable()", "usual False"), ("gc.set_threshold(0)", "0 True")],
)
def test_a_collector_that_is_off_stays_off(program: StartProgram, own: str, started: str) -> None:
    """What a service decides about the collector is its own business."""
    service = program(SERVICE, head=f"{HEAD}\n{own}")

    assert service.stop() == 0
    assert service.stdout.splitlines()[-1].startswith(f"stop {started}")


def test_limits_of_the_service_stay(program: StartProgram) -> None:
    """Limits that a service sets while it starts are not undone."""
    service = program(
        """
        @hookimpl
        async def msp_initialize(self, contract):
            gc.set_threshold(1234)
            return CallbackRoutine("looking", stop=self.stop)
        async def stop(self, deadline):
            look("stop")
        """,
        head=HEAD,
    )

    assert service.stop() == 0
    assert service.stdout == "stop 1234 True True\n"


def test_a_run_inside_another_program_leaves_the_collector_alone() -> None:
    """Who calls `run` lives on: its own objects stay where they were."""
    before = gc.get_threshold(), gc.get_freeze_count()
    seen = []

    def look(contract: ServiceContract) -> None:
        seen.append((gc.get_threshold(), gc.get_freeze_count()))
        contract.stop("the end of the test")

    run(Waiting(), environ={"PORT": "0"}, plugins=(), on_ready=look)

    assert [*seen, (gc.get_threshold(), gc.get_freeze_count())] == [before, before]
