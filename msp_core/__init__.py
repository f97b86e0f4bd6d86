"""The Managed Services Platform runtime: contract in, supervised service out.

A map, from what a service author meets first to what only plugin authors need:

* `runtime`: `start`, `execute_job`, `run` and its `StopHandle`; the life of a process.
* `open_contract`, `open_contract_sync`: the contract for a program with its own main.
* `config`, `secret`: `env` and `Secret`; an attrs class becomes typed variables.
* `contract`: `ServiceContract` and `JobContract`; what the platform gave, `contract[Redis]`.
* `execution`: `Execution`; one run of a job, and this task's share of its work.
* `routines`: `Routine` and the ways to make one of several.
* `http`: `HTTPServer`, for any ASGI or WSGI application (extra `http`; import it from there).
* `diagnostics`, `health`: endpoints, the auth middleware, and the running of checks.
* `request`: `RequestContext`; whose request is being served, in every log line.
* `hookspecs`, `integration`: the hooks and the records plugins return from them.
* `errors`: everything raised on purpose.
* `services`, `assembly`: finding a service, and everything about it short of opening anything.
* `authoring`, `commands`: for authors of plugins, what every plugin and every command needs once.
* `deadline`, `platforms`, `asgi`, `dev`: small values the others share.

Modules that start with `_` are private. Importing this package reads no environment, sets up no
logging and pulls in no vendor library.
"""

from msp_core._life.open_contract import open_contract, open_contract_sync
from msp_core._life.stop_handle import StopHandle
from msp_core.assembly import AssembledIntegration, Assembly, assemble
from msp_core.config import (
    URL,
    Duration,
    Percent,
    Secret,
    Variable,
    describe,
    env,
    load,
    parse_environ,
)
from msp_core.contract import Contract, JobContract, Origin, ServiceContract
from msp_core.deadline import Deadline
from msp_core.diagnostics import Diagnostics, Route
from msp_core.errors import (
    ConfigError,
    ContractError,
    DevError,
    EarlyReturnError,
    InvalidValue,
    JobCancelledError,
    JobDeadlineError,
    LockHeldError,
    MSPError,
    PermanentError,
    PluginError,
    PortError,
    Problem,
    RoutineError,
    StopTimeoutError,
    UsageError,
)
from msp_core.execution import Execution
from msp_core.health import Check, CheckResult, Health
from msp_core.hookspecs import hookimpl
from msp_core.integration import API, Command, FailedStart, Integration, LogProcessor, Role
from msp_core.platforms import Platform
from msp_core.request import RequestContext, current_request
from msp_core.routines import (
    CallbackRoutine,
    CombinedRoutine,
    FIFOStopRoutine,
    LIFOStopRoutine,
    NoopRoutine,
    PeriodicRoutine,
    Routine,
    go,
)
from msp_core.runtime import execute_job, run, start

__all__ = [
    "API",
    "URL",
    "AssembledIntegration",
    "Assembly",
    "CallbackRoutine",
    "Check",
    "CheckResult",
    "CombinedRoutine",
    "Command",
    "ConfigError",
    "Contract",
    "ContractError",
    "Deadline",
    "DevError",
    "Diagnostics",
    "Duration",
    "EarlyReturnError",
    "Execution",
    "FIFOStopRoutine",
    "FailedStart",
    "Health",
    "Integration",
    "InvalidValue",
    "JobCancelledError",
    "JobContract",
    "JobDeadlineError",
    "LIFOStopRoutine",
    "LockHeldError",
    "LogProcessor",
    "MSPError",
    "NoopRoutine",
    "Origin",
    "Percent",
    "PeriodicRoutine",
    "PermanentError",
    "Platform",
    "PluginError",
    "PortError",
    "Problem",
    "RequestContext",
    "Role",
    "Route",
    "Routine",
    "RoutineError",
    "Secret",
    "ServiceContract",
    "StopHandle",
    "StopTimeoutError",
    "UsageError",
    "Variable",
    "assemble",
    "current_request",
    "describe",
    "env",
    "execute_job",
    "go",
    "hookimpl",
    "load",
    "open_contract",
    "open_contract_sync",
    "parse_environ",
    "run",
    "start",
]
