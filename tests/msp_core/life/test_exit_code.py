"""Exit codes: what went wrong decides, wherever it happened and whatever it is wrapped in."""

from __future__ import annotations

import pytest

from tests.msp_core.program import StartProgram

PROBLEM = 'ConfigError([Problem(variable="THEME", owner="service", wrong="is missing")])'

ERRORS = {
    "OSError('disk on fire')": 1,
    "MSPError('of our own')": 1,
    "ContractError('no such client')": 1,
    "UsageError('not like this')": 2,
    "PermanentError('no use')": 65,
    PROBLEM: 78,
}


@pytest.mark.parametrize(("error", "code"), ERRORS.items())
@pytest.mark.parametrize(
    "body",
    [
        """
        @hookimpl
        async def msp_initialize(self, contract):
            raise ERROR
        """,
        """
        @hookimpl
        async def msp_initialize(self, contract):
            return CallbackRoutine("worker", start=self.work)
        async def work(self):
            raise ERROR
        """,
        """
        @hookimpl
        async def msp_execute(self, contract):
            raise ERROR
        """,
    ],
    ids=["initialize", "routine", "execute"],
)
def test_error_says_it(program: StartProgram, body: str, error: str, code: int) -> None:
    """An error of ours says what the process leaves with, any other one is 1."""
    assert program(body.replace("ERROR", error)).code() == code


def test_group(program: StartProgram) -> None:
    """A group, such as of a task group, has the highest code of its members, and says so."""
    job = program(
        """
        @hookimpl
        async def msp_execute(self, contract):
            async with asyncio.TaskGroup() as group:
                group.create_task(self.fail(PermanentError("no use")))
                group.create_task(self.fail(OSError("disk on fire")))
        async def fail(self, error):
            raise error
        """
    )

    assert job.code() == 65
    assert "execution failed for good" in "".join(job.errors())


@pytest.mark.parametrize("routines", ["CombinedRoutine", "LIFOStopRoutine", "FIFOStopRoutine"])
def test_highest_of_a_group_s_stop(program: StartProgram, routines: str) -> None:
    """Of several routines that fail to stop, the one with the highest code counts."""
    service = program(
        f"""
        @hookimpl
        async def msp_initialize(self, contract):
            return {routines}(
                CallbackRoutine("one", stop=lambda deadline: self.fail(OSError("rows lost"))),
                CallbackRoutine("two", stop=lambda deadline: self.fail({PROBLEM})),
                CallbackRoutine("three", stop=lambda deadline: self.fail(UsageError("no"))),
            )
        async def fail(self, error):
            raise error
        """
    )

    assert service.stop() == 78


@pytest.mark.parametrize(
    ("death", "stop", "code"),
    [
        ("OSError('disk on fire')", "UsageError('no')", 2),
        ("UsageError('no')", "OSError('disk on fire')", 2),
        (PROBLEM, "StopTimeoutError('late', routine='worker')", 78),
        ("OSError('disk on fire')", "StopTimeoutError('late', routine='worker')", 70),
    ],
)
def test_highest_of_death_and_stop(program: StartProgram, death: str, stop: str, code: int) -> None:
    """When a routine dies and fails to stop as well, the higher code counts, in either order."""
    service = program(
        f"""
        @hookimpl
        async def msp_initialize(self, contract):
            return CallbackRoutine("worker", start=self.work, stop=self.stop)
        async def work(self):
            raise {death}
        async def stop(self, deadline):
            raise {stop}
        """
    )

    assert service.code() == code
    assert service.ledger()["exit_code"] == code
