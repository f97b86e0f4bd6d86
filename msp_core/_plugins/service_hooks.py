"""ServiceHooks: what a service or job implements, each hook behind a typed method."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msp_core._plugins.implementer import implements, new_manager, register
from msp_core.contract import Contract, JobContract, ServiceContract
from msp_core.errors import UsageError
from msp_core.hookspecs import SERVICE_HOOKS
from msp_core.routines import Routine
from msp_core.routines._calls import contain_exit, in_thread


class ServiceHooks:
    """The hooks of one service or job; an `async def` is awaited, a `def` runs in a thread.

    Attributes:
        is_service: whether it is long-running, that is, implements `msp_initialize`.
        is_job: whether it runs to completion, that is, implements `msp_execute`.
        has_healthy: whether it implements `msp_healthy`.
    """

    def __init__(self, service: object, *, hookless: bool = False) -> None:
        """Check the service's hooks.

        Args:
            service: the object that implements them.
            hookless: whether it may be neither service nor job. Default False.

        Raises:
            UsageError: it implements none or both of `msp_initialize` and `msp_execute`, or
                something that is no hook.
        """
        self._subject = f"service {getattr(service, 'name', type(service).__name__)!r}"
        self._manager = new_manager()
        fault = register(self._manager, service, name="service", hooks=SERVICE_HOOKS)
        if fault is not None:
            raise UsageError(f"{self._subject} {fault}")
        hooks = implements(self._manager, service)
        self.is_service: bool = "msp_initialize" in hooks
        self.is_job: bool = "msp_execute" in hooks
        if self.is_service is self.is_job and (self.is_job or not hookless):
            amount = "both" if self.is_job else "neither"
            raise UsageError(
                f"{self._subject} implements {amount} of msp_initialize (a service) and"
                " msp_execute (a job): implement one"
            )
        self.has_healthy: bool = "msp_healthy" in hooks

    async def initialize(self, contract: ServiceContract, config: object) -> Routine:
        """Build the service.

        Raises:
            UsageError: `msp_initialize` returned no routine; what it raises comes through.
        """
        routine = await self._call("msp_initialize", contract=contract, config=config)
        if not isinstance(routine, Routine):
            raise UsageError(
                f"{self._subject}: msp_initialize returned {_kind(routine)}, expected a Routine:"
                " something with name, start and stop"
            )
        return routine

    async def healthy(self, contract: Contract, query: Mapping[str, str]) -> None:
        """Ask the service for its health; what it raises means unhealthy."""
        await self._call("msp_healthy", contract=contract, query=query)

    async def execute(self, contract: JobContract, config: object) -> Any:  # noqa: ANN401 - a result summary of the job's own shape
        """Do the job's work and return its summary; what it raises comes through.

        Cancelled while a plain `def` works in its thread, it ends when the thread does.
        """
        return await self._call("msp_execute", in_thread, contract=contract, config=config)

    async def _call(
        self,
        name: str,
        beside: Callable[..., Awaitable[Any]] = asyncio.to_thread,
        **arguments: object,
    ) -> Any:  # noqa: ANN401 - judged by the typed methods
        """Call a hook without ever blocking the loop; context variables reach the thread."""
        hook = getattr(self._manager.hook, name)
        with contain_exit(name):
            if any(inspect.iscoroutinefunction(one.function) for one in hook.get_hookimpls()):
                return await hook(**arguments)
            result = await beside(hook, **arguments)
            return await result if inspect.isawaitable(result) else result


def _kind(result: object) -> str:
    return "None" if result is None else f"a value of type {type(result).__name__}"
