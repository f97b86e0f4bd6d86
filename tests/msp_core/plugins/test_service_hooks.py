"""Hooks of services and jobs."""

from __future__ import annotations

import asyncio
import threading
from asyncio import CancelledError
from collections.abc import Awaitable, Mapping
from contextvars import ContextVar
from typing import Any, cast

import pytest

from msp_core import hookspecs
from msp_core._plugins.service_hooks import ServiceHooks
from msp_core.contract import JobContract, ServiceContract
from msp_core.deadline import Deadline
from msp_core.errors import UsageError
from msp_core.hookspecs import hookimpl

CONTRACT = cast("ServiceContract", object())
JOB_CONTRACT = cast("JobContract", object())
request: ContextVar[str] = ContextVar("request")


class Nothing:
    """A routine that does nothing."""

    name = "nothing"

    async def start(self) -> None:
        """Return at once."""

    async def stop(self, deadline: Deadline) -> None:
        """Return at once."""


class Service:
    name = "guestbook"

    @hookimpl
    async def msp_initialize(self, contract: ServiceContract, config: Any) -> Nothing:
        """Remember what was given."""
        self.given = (contract, config)
        return Nothing()


class TestWhatItIs:
    def test_service(self) -> None:
        """Who implements msp_initialize is a service."""
        hooks = ServiceHooks(Service())

        assert not hooks.is_job
        assert not hooks.has_healthy

    def test_job(self) -> None:
        """Who implements msp_execute is a job."""

        class Job:
            @hookimpl
            def msp_execute(self) -> None: ...

            @hookimpl
            def msp_healthy(self) -> None: ...

        hooks = ServiceHooks(Job())

        assert hooks.is_job
        assert hooks.has_healthy

    def test_both(self) -> None:
        """Nobody is a service and a job."""

        class Both(Service):
            @hookimpl
            def msp_execute(self) -> None: ...

        with pytest.raises(UsageError, match="service 'guestbook' implements both of"):
            ServiceHooks(Both())

    def test_neither(self) -> None:
        """Whoever is neither is told what to implement, by class when there is no name."""

        class Empty: ...

        with pytest.raises(UsageError, match="service 'Empty' implements neither of"):
            ServiceHooks(Empty())

    def test_misspelt(self) -> None:
        """A misspelt hook is a usage error with a suggestion."""

        class Misspelt(Service):
            @hookimpl
            def msp_health(self) -> None: ...

        with pytest.raises(UsageError, match=r"msp_health, which is no hook: .* msp_healthy\?"):
            ServiceHooks(Misspelt())

    def test_hook_of_a_plugin(self) -> None:
        """A service must not implement what only plugins do."""

        class Plugin(Service):
            @hookimpl
            def msp_commands(self) -> None: ...

        with pytest.raises(UsageError, match="msp_commands, which only a plugin may"):
            ServiceHooks(Plugin())

    def test_properties_stay_untouched(self) -> None:
        """Looking for hooks runs no code of the service."""

        class Lazy(Service):
            @property
            def pool(self) -> None:
                raise AssertionError

        assert not ServiceHooks(Lazy()).is_job


class TestInitialize:
    async def test_coroutine(self) -> None:
        """An `async def` is awaited on the loop."""
        service = Service()
        routine = await ServiceHooks(service).initialize(CONTRACT, 7)

        assert routine.name == "nothing"
        assert service.given == (CONTRACT, 7)

    async def test_function(self) -> None:
        """A plain `def` runs in a thread, where it may block, with the caller's context."""

        class Plain:
            @hookimpl
            def msp_initialize(self) -> Nothing:
                self.seen = (threading.current_thread(), request.get())
                return Nothing()

        service = Plain()
        request.set("42")
        await ServiceHooks(service).initialize(CONTRACT, None)
        thread, context = service.seen

        assert thread is not threading.main_thread()
        assert context == "42"

    async def test_function_that_returns_an_awaitable(self) -> None:
        """What a plain `def` returns is awaited when it can be."""

        class Wrapped(Service):
            @hookimpl
            def msp_initialize(  # type: ignore[override]  # the same, less obvious
                self, contract: ServiceContract, config: Any
            ) -> Awaitable[Nothing]:
                return super().msp_initialize(contract, config)

        routine = await ServiceHooks(Wrapped()).initialize(CONTRACT, None)

        assert routine.name == "nothing"

    @pytest.mark.parametrize(
        ("result", "kind"), [(None, "None"), (object(), "a value of type object")]
    )
    async def test_no_routine(self, result: object, kind: str) -> None:
        """A service that returns no routine is told what is expected."""

        class Forgetful:
            name = "forgetful"

            @hookimpl
            def msp_initialize(self) -> object:
                return result

        with pytest.raises(
            UsageError, match=f"'forgetful': msp_initialize returned {kind}, expected a Routine"
        ):
            await ServiceHooks(Forgetful()).initialize(CONTRACT, None)

    async def test_raises(self) -> None:
        """What the service raises comes through untouched."""

        class Broken:
            @hookimpl
            def msp_initialize(self) -> None:
                raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            await ServiceHooks(Broken()).initialize(CONTRACT, None)


async def test_healthy() -> None:
    """The health hook gets the query, and what it raises means unhealthy."""

    class Sick(Service):
        @hookimpl
        async def msp_healthy(self, query: Mapping[str, str]) -> None:
            raise LookupError(query["full"])

    with pytest.raises(LookupError, match="yes"):
        await ServiceHooks(Sick()).healthy(CONTRACT, {"full": "yes"})


async def test_execute() -> None:
    """A job gets contract and config, and its summary is returned."""

    class Job:
        @hookimpl
        def msp_execute(self, contract: JobContract, config: int) -> dict[str, int]:
            return {"rows": config}

    assert await ServiceHooks(Job()).execute(JOB_CONTRACT, 3) == {"rows": 3}


@pytest.mark.parametrize(("error", "seen"), [(None, CancelledError), (OSError(), OSError)])
async def test_execute_cancelled(error: Exception | None, seen: type[BaseException]) -> None:
    """A plain job that is cancelled is waited for; what it raises then is not lost."""
    working, asked = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    class Job:
        @hookimpl
        def msp_execute(self) -> None:
            loop.call_soon_threadsafe(working.set)
            asked.wait()
            if error is not None:
                raise error

    executing = asyncio.create_task(ServiceHooks(Job()).execute(JOB_CONTRACT, None))
    await working.wait()
    executing.cancel()
    done, _ = await asyncio.wait({executing}, timeout=0.05)

    assert not done
    asked.set()
    with pytest.raises(seen):
        await executing


def test_every_hook_has_one_owner() -> None:
    """Each hookspec is either a plugin's or a service's."""
    specs = {name for name in vars(hookspecs) if name.startswith("msp_")}

    assert specs == {*hookspecs.PLUGIN_HOOKS, *hookspecs.SERVICE_HOOKS}
    assert not set(hookspecs.PLUGIN_HOOKS) & set(hookspecs.SERVICE_HOOKS)
