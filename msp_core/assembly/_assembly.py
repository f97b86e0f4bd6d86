"""Assemble: resolve, load and read, in this order; nothing is opened."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import attrs

from msp_core._plugins.cache import DeclarationCache
from msp_core._plugins.declaration import Declaration, DeclaredPlugin
from msp_core._plugins.hooks import Plugins
from msp_core._plugins.resolution import resolve
from msp_core._plugins.service_hooks import ServiceHooks
from msp_core._start.costs import Costs
from msp_core.assembly._core_config import CoreConfig, ServiceVariables
from msp_core.assembly._integrations import AssembledIntegration
from msp_core.assembly._job_variables import JobVariables, new_execution
from msp_core.assembly._missing import why_missing
from msp_core.assembly._needs import needed_clients
from msp_core.config import Variable, describe
from msp_core.config._loading import Loading
from msp_core.contract import Contract, JobContract, ServiceContract, refuse_stop
from msp_core.diagnostics import Diagnostics
from msp_core.errors import ConfigError, Problem, UsageError
from msp_core.execution import never
from msp_core.health import Health
from msp_core.platforms import Platform


@attrs.frozen(kw_only=True, eq=False)
class Assembly:
    """A service or job, its declared plugins, and what the environment gave them.

    Attributes:
        service: the user's object.
        hooks: its hooks, behind typed methods.
        environ: the variables all of this was read from.
        declaration: which plugins the service declares, and how that was found.
        plugins: those, loaded.
        integrations: in declared order, telemetry first.
        core: None when one of the core's variables has a problem.
        own: variables of only a service or only a job; None when one of it has a problem, and for
            what is neither.
        config: the service's own; None when it declares none, or has a problem.
        problems: of core, plugins and service, in that order.
        ignored: what is wrong with values that are ignored.
        variables: all that were declared, the service's own first.
        near_misses: sentences about variables that are set, read by nobody, and close to one
            that is.
        secrets: values that must never be shown.
        instance_id: of this process, in logs and telemetry.
        costs: of the start; what follows goes on measuring.
    """

    service: Any
    hooks: ServiceHooks
    environ: Mapping[str, str] = attrs.field(repr=False)
    declaration: Declaration
    plugins: Plugins
    integrations: tuple[AssembledIntegration, ...]
    core: CoreConfig | None
    own: ServiceVariables | JobVariables | None
    config: Any = attrs.field(repr=False)
    problems: tuple[Problem, ...]
    ignored: tuple[Problem, ...]
    variables: tuple[Variable, ...]
    near_misses: tuple[str, ...]
    secrets: frozenset[str] = attrs.field(repr=False)
    instance_id: str
    costs: Costs = attrs.field(repr=False)

    @property
    def kind(self) -> str:
        """`service` or `job`."""
        return "job" if self.hooks.is_job else "service"

    def contract(
        self,
        scrub: Callable[[str], str],
        *,
        ending: Callable[[], bool] = never,
        stop: Callable[[str], object] = refuse_stop,
    ) -> Contract:
        """Return the contract, with nothing opened.

        Args:
            scrub: (text) -> the text without secrets.
            ending: () -> whether the execution is to end early; asked for a job only.
            stop: (reason) -> asks for the stop; for a service only. Default: refuses, as nobody
                runs it.

        Raises:
            ConfigError: the assembly has problems.
        """
        if self.core is None or self.problems:
            raise ConfigError(self.problems)
        health = Health(scrub=scrub)
        health.healthz_resources = self.core.healthz_resources
        values: dict[str, Any] = {
            "name": self.service.name,
            "version": self.service.version,
            "msp": self.core.msp,
            "environment_id": self.core.environment.id,
            "platform": Platform.of(self.environ),
            "google_cloud_project": self.core.google_cloud_project,
            "instance_id": self.instance_id,
            "environ": self.environ,
            "missing": partial(why_missing, self.integrations, self.declaration, self.near_misses),
            "scrub": scrub,
            "diagnostics": Diagnostics(
                version=self.service.version,
                secret=self.core.diagnostics_secret,
                health=health,
                msp=self.core.msp,
            ),
        }
        if isinstance(self.own, ServiceVariables):
            return ServiceContract(**values, **attrs.asdict(self.own), stop=stop)
        if self.own is None:
            return Contract(**values)
        execution = new_execution(self.own, Platform.of(self.environ), ending)
        return JobContract(**values, execution=execution)


def assemble(
    service: object,
    environ: Mapping[str, str],
    *,
    plugins: Sequence[str] | None = None,
    distribution: str | None = None,
    instance_id: str | None = None,
    hookless: bool = False,
) -> Assembly:
    """Resolve and load what the service declares, and read the environment. Opens nothing.

    Args:
        service: an object with `name`, `version`, perhaps `config` and `needs`, and hooks.
        environ: the variables.
        plugins: names of plugins, instead of the declared ones; for a script without metadata.
        distribution: the service's, where no `msp.services` entry point names it.
        instance_id: of the process; default a new one.
        hookless: whether the object may have neither of the hooks that make it a service or a
            job: nobody runs it, and it needs no port. Default False.

    Raises:
        PluginError: a declared plugin is missing, broken or does not fit.
        UsageError: the service lacks a name, a version, or the hook that makes it one; or it
            needs a client that no declared plugin provides.
    """
    costs = Costs()
    hooks = ServiceHooks(service, hookless=hookless)
    with costs.measure("resolve"):
        cache = DeclarationCache.of(environ)
        declaration = resolve(service, plugins=plugins, distribution=distribution, cache=cache)
    loaded = Plugins.load(declaration, costs.measure)
    with costs.measure("variables"):
        loading = Loading(environ)
        core = loading.section(CoreConfig, "core")
        own = _read_own(hooks, loading)
        owner = f"{'job' if hooks.is_job else 'service'} {_check_name(service)!r}"
        needed = needed_clients(service, owner, declaration, loaded)
        integrations = tuple(_read_integrations(loaded, loading, needed, owner))
        config_class = getattr(service, "config", None)
        return Assembly(
            service=service,
            hooks=hooks,
            environ=environ,
            declaration=declaration,
            plugins=loaded,
            integrations=tuple(sorted(integrations, key=lambda each: not each.record.telemetry)),
            core=core,
            own=own,
            config=loading.section(config_class, owner) if config_class else None,
            problems=loading.problems,
            ignored=loading.ignored,
            variables=_own_first(loading.variables, owner),
            near_misses=loading.near_misses(),
            secrets=loading.secrets,
            instance_id=instance_id or uuid.uuid4().hex,
            costs=costs,
        )


def _own_first(variables: Sequence[Variable], owner: str) -> tuple[Variable, ...]:
    """Return the variables in the order in which people look for them; as Go's help has it."""
    return tuple(sorted(variables, key=lambda variable: variable.owner != owner))


def _read_own(hooks: ServiceHooks, loading: Loading) -> ServiceVariables | JobVariables | None:
    """Read the variables that only this kind of program has."""
    if hooks.is_job:
        return loading.section(JobVariables, "core")
    if not hooks.is_service:
        return None
    return loading.section(ServiceVariables, "core")


def _read_integrations(
    plugins: Plugins, loading: Loading, needed: Collection[type], subject: str
) -> Iterator[AssembledIntegration]:
    """Load each integration's variables; nothing of one that is needed may be missing."""
    for provided in plugins.integrations():
        plugin, record = provided.plugin, provided.record
        is_needed = record.client in needed
        variables = describe(record.config, owner=plugin.owner)
        config = loading.section(
            record.config,
            plugin.owner,
            optional=not is_needed,
            hint=f"{subject} cannot do without {record.name!r}",
        )
        yield AssembledIntegration(
            plugin=plugin,
            record=record,
            config=config,
            variables=variables,
            needed=is_needed,
            ignored=tuple(_find_ignored(loading, plugin, variables)),
        )


def _find_ignored(
    loading: Loading, plugin: DeclaredPlugin, variables: Sequence[Variable]
) -> Iterator[Problem]:
    """Yield what is wrong with a plugin's ignored values, of variables that ask for it."""
    asking = {variable.name for variable in variables if variable.required or variable.group}
    for problem in loading.ignored:
        if problem.owner == plugin.owner and problem.variable in asking:
            yield problem


def _check_name(service: object) -> str:
    """Return the service's name once name and version are known to be texts."""
    for attribute in ("name", "version"):
        if not isinstance(getattr(service, attribute, None), str):
            raise UsageError(
                f"service {type(service).__qualname__!r} has no {attribute}: "
                f"set the attribute `{attribute}` to a string"
            )
    name: str = service.name  # type: ignore[attr-defined]  # just looked at
    return name
