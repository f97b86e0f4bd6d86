"""Records that plugins return from their hooks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Generic, TypeVar

import attrs

from msp_core.contract import Contract, Origin

DevResource = Callable[[Path], AbstractAsyncContextManager[Mapping[str, str]]]
"""(data folder of this resource) -> async context manager of variables, `{"PGDSN": …}`."""


@attrs.frozen(kw_only=True)
class Role:
    """A role of Google's IAM that the service's account must have.

    Attributes:
        name: as Google writes it, `roles/cloudsql.client`.
        purpose: what it is for, one clause in lower case; says where it is granted unless that is
            the project.
        when: in which case it is needed, one clause in lower case. Default None: whenever the
            integration is configured.
    """

    name: str
    purpose: str
    when: str | None = None


@attrs.frozen(kw_only=True)
class API:
    """A service of Google that must be enabled in the project.

    Attributes:
        name: as Google writes it, `sqladmin.googleapis.com`.
        purpose: what it is for, one clause in lower case.
        when: in which case it is needed, one clause in lower case. Default None: whenever the
            integration is configured.
    """

    name: str
    purpose: str
    when: str | None = None


ConfigT = TypeVar("ConfigT")
ClientT = TypeVar("ClientT")


@attrs.frozen(kw_only=True, eq=False)
class Integration(Generic[ConfigT, ClientT]):
    """One resource as the runtime sees it.

    Attributes:
        name: what messages, ledger and health call it; usually the plugin's name.
        config: attrs class declared with `env()`. The integration is configured when any of its
            required variables is set; variables with a default never configure it.
        client: the type a service asks the contract for, `contract[Redis]`.
        open: (config, contract) -> async context manager of the client. Entered once per process,
            in declared order, before `msp_initialize`; must not wait for the resource to answer.
            Left in reverse order under a deadline. Vendor libraries are imported inside.
        check: (client) -> awaitable that raises when the resource is unhealthy. Run in parallel
            with the others, cached, at most one at a time, under a timeout; None for no check.
        critical: whether a failing check makes the service unready. Default True.
        telemetry: opened before all resources and closed after them. Default False.
        dev: makes the embedded stand-in that `msp dev` starts when the integration is not
            configured; None when there is none.
        roles: of Google's IAM that the service's account needs for it. Default none.
        apis: of Google that it calls. Default none.
    """

    name: str
    config: type[ConfigT]
    client: type[ClientT]
    open: Callable[[ConfigT, Contract], AbstractAsyncContextManager[ClientT]]
    check: Callable[[ClientT], Awaitable[None]] | None = None
    critical: bool = True
    telemetry: bool = False
    dev: DevResource | None = None
    roles: tuple[Role, ...] = ()
    apis: tuple[API, ...] = ()


LogProcessor = Callable[[Any, dict[str, Any]], None]
"""(record, fields) -> None: adds to the fields of one log record; runs where the line is logged."""


@attrs.frozen(kw_only=True, repr=False, eq=False)
class FailedStart:
    """A start that ended before any integration was opened, by what was found until then.

    Attributes:
        origin: which process it was, as in its log lines.
        environ: the variables, some of which are wrong.
        error: that ends the process, a `ConfigError` or `PortError`; its text holds no values.
        scrub: (text) -> the text without the secrets that could be loaded.
    """

    origin: Origin
    environ: Mapping[str, str]
    error: Exception
    scrub: Callable[[str], str]


@attrs.frozen(kw_only=True, eq=False)
class Command:
    """One sub-command of `msp`, from a distribution with an `msp.commands` entry point.

    Attributes:
        name: the sub-command; equal to the entry point's name.
        help: one line for `msp --help`.
        configure: (argparse parser) -> None; adds the command's arguments.
        run: (parsed arguments) -> exit code.
    """

    name: str
    help: str
    configure: Callable[[Any], None]
    run: Callable[[Any], int]
