"""What the types promise to a service and to a plugin; checked by mypy, never run.

Each function is a use of the public API as a user writes it. What a user must not be able to
write carries a `type: ignore` with its code; mypy reports the ignore once it is not needed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import assert_type

import attrs

from msp_cloudsql import CloudSQL
from msp_core import (
    CallbackRoutine,
    CombinedRoutine,
    Contract,
    Deadline,
    Integration,
    JobContract,
    Routine,
    Secret,
    ServiceContract,
    env,
    hookimpl,
    start,
)
from msp_core.asgi import ASGIApp
from msp_core.http import HTTPServer
from msp_redis import Redis


@attrs.frozen(kw_only=True)
class Config:
    """A config with a secret, an optional variable and one with a default."""

    token: Secret = env("TOKEN")
    greeting: str = env("GREETING", default="hello")
    limit: int | None = env("LIMIT", default=None)


class Guestbook:
    """A service as the README writes it."""

    name = "guestbook"
    version = "1.0"
    config = Config

    @hookimpl
    async def msp_initialize(self, contract: ServiceContract, config: Config) -> Routine:
        """Take typed clients from the contract."""
        assert_type(contract[CloudSQL], CloudSQL)
        assert_type(contract[Redis], Redis)
        assert_type(contract.configured(Redis), bool)
        assert_type(contract.port, int)
        assert_type(contract.external_dns_name, str | None)
        assert_type(config.token.reveal(), str)
        return CombinedRoutine(CallbackRoutine(), CallbackRoutine("other"))

    @hookimpl
    def msp_healthy(self, query: Mapping[str, str]) -> None:
        """Be healthy."""


def a_client_has_the_type_asked_for(contract: Contract) -> None:
    """Another type than the one asked for does not fit."""
    redis: CloudSQL = contract[Redis]  # type: ignore[assignment]
    del redis


def a_job_has_an_execution(contract: JobContract) -> None:
    """A share keeps the type of the items."""
    execution = contract.execution
    assert_type(execution.share(["a", "b"]), Sequence[str])
    assert_type(execution.owns("a"), bool)
    assert_type(execution.deadline, Deadline | None)
    assert_type(execution.cancelled, bool)


def a_job_has_no_port(contract: JobContract) -> int:
    """Only a service has a port."""
    return contract.port  # type: ignore[attr-defined, no-any-return]


def a_contract_does_not_change(contract: Contract) -> None:
    """The contract is frozen."""
    contract.msp = True  # type: ignore[misc]


def a_routine_is_any_object_of_that_shape(contract: ServiceContract, app: ASGIApp) -> None:
    """What the runtime makes is a routine like any other."""
    routine: Routine = CombinedRoutine()
    routine = CallbackRoutine(start=_work)
    routine = HTTPServer(app, contract)
    del routine


def a_main_is_one_line() -> None:
    """`start` takes any service and does not return."""
    start(Guestbook())


class Clock:
    """The client of a plugin."""


@asynccontextmanager
async def open_clock(config: Config, contract: Contract) -> AsyncIterator[Clock]:
    """Open a resource."""
    del config, contract
    yield Clock()


async def tick(clock: Clock) -> None:
    """Check a clock."""
    del clock


async def ping(redis: Redis) -> None:
    """Check something that is not a clock."""
    del redis


@hookimpl
def msp_integration() -> Integration[Config, Clock]:
    """Describe a resource; the parts must fit each other."""
    Integration(name="clock", config=Config, client=Clock, open=open_clock, check=ping)  # type: ignore[arg-type]
    return Integration(name="clock", config=Config, client=Clock, open=open_clock, check=tick)


async def _work() -> None: ...
