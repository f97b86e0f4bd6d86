"""Plugins: the declared ones, imported, each hook behind a typed method.

Nothing else calls `hook.…` of a plugin: pluggy's calls are untyped, run last-registered first,
and do not say which plugin an error came from.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    ExitStack,
    contextmanager,
    nullcontext,
)
from functools import partial
from typing import Any, TypeVar

import attrs
import pluggy

from msp_core._plugins.declaration import Declaration, DeclaredPlugin
from msp_core._plugins.implementer import implements, new_manager, register
from msp_core.asgi import ASGIMiddleware
from msp_core.contract import Contract, JobContract
from msp_core.diagnostics import Route
from msp_core.hookspecs import PLUGIN_HOOKS
from msp_core.integration import Command, FailedStart, Integration, LogProcessor

RecordT = TypeVar("RecordT")


@attrs.frozen(kw_only=True, eq=False)
class ProvidedIntegration:
    """An integration and where it comes from.

    Attributes:
        plugin: the plugin that returned the record.
        record: what its `msp_integration` returned.
    """

    plugin: DeclaredPlugin
    record: Integration[Any, Any]


@attrs.frozen(eq=False)
class Plugins:
    """The loaded plugins; each method calls one hook on all of them, in declared order.

    Attributes:
        loaded: the plugins, in declared order.
    """

    loaded: tuple[DeclaredPlugin, ...]
    _manager: pluggy.PluginManager = attrs.field(repr=False)

    @classmethod
    def load(
        cls,
        declaration: Declaration,
        measure: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext(),
    ) -> Plugins:
        """Import the declared plugins and check their hooks, each within `measure(name)`.

        Raises:
            PluginError: a plugin cannot be imported, or implements something that is no hook.
        """
        manager = new_manager()
        for plugin in declaration.plugins:
            with measure(f"load {plugin.name}"):
                _load(manager, plugin)
        return cls(declaration.plugins, manager)

    def integrations(self) -> tuple[ProvidedIntegration, ...]:
        """Return every plugin's integration.

        Raises:
            PluginError: `msp_integration` raised, or returned something else; or two plugins
                hand out clients of the same type.
        """
        found = tuple(
            ProvidedIntegration(plugin=plugin, record=record)
            for plugin, record in self._results("msp_integration")
            if _expect(isinstance(record, Integration), plugin, "msp_integration", record)
        )
        _refuse_same_client(found)
        return found

    def log_processors(self, contract: Contract) -> tuple[LogProcessor, ...]:
        """Return what adds fields to log records; a later one may replace an earlier one's.

        Raises:
            PluginError: `msp_log_processor` raised, or returned no function.
        """
        return self._functions("msp_log_processor", contract)

    def asgi_middleware(self, contract: Contract) -> tuple[ASGIMiddleware, ...]:
        """Return what wraps an ASGI application; the first is meant to be outermost.

        Raises:
            PluginError: `msp_asgi_middleware` raised, or returned no function.
        """
        return self._functions("msp_asgi_middleware", contract)

    def diagnostics_routes(
        self, contract: Contract, *, taken: Collection[str] = ()
    ) -> tuple[Route, ...]:
        """Return extra endpoints of the diagnostics application, none of them at a taken path.

        Raises:
            PluginError: `msp_diagnostics_routes` raised, or returned no list of routes; or a
                path is taken, by the core or another plugin.
        """
        hook = "msp_diagnostics_routes"
        routes: dict[str, Route] = {}
        for plugin, route in self._records(hook, Route, contract=contract):
            if route.path in taken or routes.setdefault(route.path, route) is not route:
                raise plugin.error(f"{hook} gives {route.path}, which exists already")
        return tuple(routes.values())

    def job_executions(
        self, contract: JobContract
    ) -> tuple[tuple[DeclaredPlugin, Callable[[], AbstractAsyncContextManager[Any] | None]], ...]:
        """Return each plugin with what makes its context manager around the execution, or None.

        What is returned raises PluginError: `msp_job_execution` raised, or returned something else.
        """
        hook = "msp_job_execution"
        arguments = {"contract": contract, "execution": contract.execution}
        return tuple(
            (plugin, partial(_context, call, plugin, arguments))
            for plugin, call in self._calls(hook)
        )

    def job_lock(
        self, contract: JobContract, name: str
    ) -> AbstractAsyncContextManager[asyncio.Event] | None:
        """Return the lock of the first plugin that gives one; None when none does.

        Raises:
            PluginError: `msp_job_lock` raised, or returned no async context manager.
        """
        arguments = {"contract": contract, "name": name}
        locks = (_context(call, plugin, arguments) for plugin, call in self._calls("msp_job_lock"))
        return next((lock for lock in locks if lock is not None), None)

    @contextmanager
    def start_part(self, contract: Contract, part: str) -> Iterator[None]:
        """Surround a part of the start with what the plugins give.

        Raises:
            PluginError: `msp_start_part` raised, or returned no context manager.
        """
        hook = "msp_start_part"
        with ExitStack() as stack:
            for plugin, result in self._results(hook, contract=contract, part=part):
                if result is None:
                    continue
                _expect(isinstance(result, AbstractContextManager), plugin, hook, result)
                stack.enter_context(result)
            yield

    def start_failed(self, failure: FailedStart) -> None:
        """Let the plugins report a start that failed before their integrations were opened.

        Raises:
            PluginError: `msp_start_failed` raised.
        """
        for _ in self._results("msp_start_failed", failure=failure):
            pass  # each is called as it comes

    def check_service(self, service: object) -> tuple[tuple[DeclaredPlugin, str], ...]:
        """Return what the plugins find wrong with what is installed of a service.

        Raises:
            PluginError: `msp_check_service` raised, or returned no list of texts.
        """
        return tuple(self._records("msp_check_service", str, service=service))

    def commands(self) -> tuple[Command, ...]:
        """Return the sub-commands that the plugins add to `msp`.

        Raises:
            PluginError: `msp_commands` raised, or returned no list of commands.
        """
        return tuple(command for _, command in self._records("msp_commands", Command))

    def _functions(self, hook: str, contract: Contract) -> tuple[Any, ...]:
        return tuple(
            function
            for plugin, function in self._results(hook, contract=contract)
            if _expect(callable(function), plugin, hook, function)
        )

    def _records(
        self, hook: str, kind: type[RecordT], **arguments: object
    ) -> Iterator[tuple[DeclaredPlugin, RecordT]]:
        """Yield what is in the lists that a hook returns, all of one type."""
        for plugin, records in self._results(hook, **arguments):
            _expect(isinstance(records, list | tuple), plugin, hook, records)
            for record in records:
                _expect(isinstance(record, kind), plugin, hook, record)
                yield plugin, record

    def _results(self, hook: str, **arguments: object) -> Iterator[tuple[DeclaredPlugin, Any]]:
        """Call a hook on one plugin after the other, so that an error knows its plugin."""
        for plugin, call in self._calls(hook):
            yield plugin, _call_one(call, plugin, **arguments)

    def _calls(self, hook: str) -> Iterator[tuple[DeclaredPlugin, pluggy.HookCaller]]:
        """Yield each plugin that implements a hook, with what calls it on that plugin alone.

        In declared order, but `tryfirst` and `trylast` mean what they mean to pluggy.
        """
        registered = {plugin.name: self._manager.get_plugin(plugin.name) for plugin in self.loaded}
        found = []
        for plugin in self.loaded:
            if hook not in implements(self._manager, registered[plugin.name]):
                continue
            others = [it for name, it in registered.items() if name != plugin.name]
            found.append((plugin, self._manager.subset_hook_caller(hook, others)))
        yield from sorted(found, key=_place)


def _place(found: tuple[DeclaredPlugin, pluggy.HookCaller]) -> int:
    """Return where an implementation comes: -1 before the others, 1 after them."""
    (implementation,) = found[1].get_hookimpls()
    return implementation.trylast - implementation.tryfirst


def _load(manager: pluggy.PluginManager, plugin: DeclaredPlugin) -> None:
    try:
        implementer = plugin.load()
    except (Exception, SystemExit) as error:
        raise plugin.error(f"cannot be imported: {type(error).__name__}: {error}") from error
    if inspect.isclass(implementer):
        where = plugin.entry_point
        raise plugin.error(f"{where} is a class: let the entry point name a module or an object")
    fault = register(manager, implementer, name=plugin.name, hooks=PLUGIN_HOOKS)
    if fault is not None:
        raise plugin.error(fault)


def _call_one(call: pluggy.HookCaller, plugin: DeclaredPlugin, **arguments: object) -> Any:  # noqa: ANN401 - what the plugin returned, not judged yet
    """Call one plugin's implementation; pluggy leaves None out of the results."""
    try:
        results = call(**arguments)
    except Exception as error:
        # The text stays in the cause: a hook has seen the environment and may quote it.
        raise plugin.error(f"{call.name} raised {type(error).__name__}") from error
    return results[0] if results else None


def _context(
    call: pluggy.HookCaller, plugin: DeclaredPlugin, arguments: Mapping[str, object]
) -> AbstractAsyncContextManager[Any] | None:
    """Return the context manager that one plugin gives, or None."""
    context = _call_one(call, plugin, **arguments)
    _expect(
        context is None or isinstance(context, AbstractAsyncContextManager),
        plugin,
        call.name,
        context,
    )
    return context  # type: ignore[no-any-return]  # just looked at


_RESULTS = {
    "msp_integration": "an Integration record",
    "msp_log_processor": "a function (record, fields) -> None",
    "msp_asgi_middleware": "a function app -> app",
    "msp_diagnostics_routes": "a list of Route records",
    "msp_check_service": "a list of texts",
    "msp_commands": "a list of Command records",
    "msp_job_execution": "an async context manager",
    "msp_start_part": "a context manager",
    "msp_job_lock": "an async context manager",
}


def _expect(fits: bool, plugin: DeclaredPlugin, hook: str, result: object) -> bool:  # noqa: FBT001 - the verdict is the subject
    """Return True, or raise an error that says what the hook should have returned."""
    if not fits:
        kind = "None" if result is None else f"a value of type {type(result).__name__}"
        raise plugin.error(f"{hook} returned {kind}, expected {_RESULTS[hook]}")
    return True


def _refuse_same_client(found: tuple[ProvidedIntegration, ...]) -> None:
    """Raise when `contract[…]` could not tell two integrations apart."""
    owners: dict[type, DeclaredPlugin] = {}
    for one in found:
        first = owners.setdefault(one.record.client, one.plugin)
        if first is not one.plugin:
            client = one.record.client.__name__
            raise one.plugin.error(f"gives a client of type {client} as does {first.owner}")
