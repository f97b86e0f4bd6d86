"""Contract, ServiceContract, JobContract: what the platform gave, as frozen values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import attrs

from msp_core._start.costs import Costs
from msp_core.asgi import ASGIMiddleware
from msp_core.diagnostics import Diagnostics
from msp_core.errors import ContractError, UsageError
from msp_core.execution import Execution
from msp_core.platforms import Platform

ClientT = TypeVar("ClientT")


def refuse_stop(_reason: str) -> None:
    """Stand for the stop of a service that nobody runs.

    Raises:
        UsageError: always.
    """
    raise UsageError("contract.stop() of a service that is not run: leave its contract's block")


@attrs.define(kw_only=True, eq=False)
class Opened:
    """What the integrations gave: the one part of a contract that changes, while they are opened.

    Attributes:
        clients: by the type a service asks for, in declared order.
        middleware: what plugins add around an ASGI application, the first outermost.
        costs: of the start; None where nobody measured it.
    """

    clients: dict[type, Any] = attrs.field(factory=dict)
    middleware: list[ASGIMiddleware] = attrs.field(factory=list)
    costs: Costs | None = None


Clients = Opened
"""The name that it had before it held more than clients."""


@attrs.frozen(kw_only=True)
class Origin:
    """One process of a service or job, as its log lines, its telemetry and its events name it.

    Attributes:
        name: of the service or job.
        version: its version.
        environment_id: the environment it belongs to.
        instance_id: of the process, made anew for each.
    """

    name: str
    version: str
    environment_id: str
    instance_id: str

    def attributes(self) -> dict[str, str]:
        """Return it under the names of OpenTelemetry's resource attributes."""
        return {
            "service.name": self.name,
            "service.version": self.version,
            "service.instance.id": self.instance_id,
            "deployment.environment.name": self.environment_id,
        }


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Contract:
    """The agreement with the platform, as a service or job receives it.

    Attributes:
        name: the service's or job's own name.
        version: its version.
        msp: whether this is a live platform. From `MSP`, default False.
        environment_id: from `ENVIRONMENT_ID`, default `unknown`.
        platform: what runs the process.
        google_cloud_project: from `GOOGLE_CLOUD_PROJECT`; None when not given.
        instance_id: made anew for each process; the same in logs and telemetry.
        environ: the variables the contract was made from; read through `env()` instead wherever
            that is possible.
        diagnostics: endpoints, health and the auth middleware.
        opened: what the runtime fills while it opens the integrations.
    """

    name: str
    version: str
    msp: bool
    environment_id: str
    platform: Platform
    google_cloud_project: str | None
    instance_id: str
    diagnostics: Diagnostics
    environ: Mapping[str, str]
    opened: Opened = attrs.field(factory=Opened)
    _missing: Callable[[type], str] = attrs.field(alias="missing")
    _scrub: Callable[[str], str] = attrs.field(alias="scrub")

    @property
    def middleware(self) -> Sequence[ASGIMiddleware]:
        """What plugins add around an ASGI application, the first outermost."""
        return self.opened.middleware

    @property
    def origin(self) -> Origin:
        """Which process this is, as log lines, telemetry and events name it."""
        return Origin(
            name=self.name,
            version=self.version,
            environment_id=self.environment_id,
            instance_id=self.instance_id,
        )

    def __repr__(self) -> str:
        """Return whose contract it is; no value that the environment gave."""
        return f"<{type(self).__name__} of {self.name} {self.version}>"

    def __getitem__(self, client: type[ClientT]) -> ClientT:
        """Return the client of that type, `contract[Redis]`.

        Raises:
            ContractError: its plugin is not declared, or not configured; the text names the line
                of `pyproject.toml` or the variable that is missing.
        """
        found: ClientT | None = self.opened.clients.get(client)
        if found is None:
            raise ContractError(self._missing(client))
        return found

    def configured(self, client: type[Any]) -> bool:
        """Return whether `contract[client]` gives a client; never raises."""
        return client in self.opened.clients

    def scrub(self, text: str) -> str:
        """Return the text with every secret of the configuration replaced by `***`.

        For what leaves the process by another way than its log lines, which are scrubbed anyway.
        """
        return self._scrub(text)


@attrs.frozen(kw_only=True, repr=False, eq=False)
class ServiceContract(Contract):
    """The contract of a long-running program that answers on a port.

    Attributes:
        port: to listen on, on all interfaces. From `PORT`, 0 to 65535.
        external_dns_name: from `EXTERNAL_DNS_NAME`; None when the platform gave none.
    """

    port: int
    external_dns_name: str | None = None
    _stop: Callable[[str], object] = attrs.field(alias="stop", default=refuse_stop)

    def stop(self, reason: str) -> None:
        """Ask for the stop of the service, from any thread, and return at once.

        It stops in order, as by a signal, and leaves with 0 unless something fails. A routine
        whose work is done asks for it, and returns.

        Args:
            reason: why, as it completes "stopped by …" in the log: `the end of the queue`. Not
                empty; the first request counts, a signal's included.

        Raises:
            UsageError: the reason is empty, or the contract is one of `open_contract`.
        """
        self._stop(reason)


@attrs.frozen(kw_only=True, repr=False, eq=False)
class JobContract(Contract):
    """The contract of a program that runs to completion; it has no port.

    Attributes:
        execution: this run of the job, and this task's share of its work.
    """

    execution: Execution
