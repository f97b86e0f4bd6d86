"""The Managed Services Platform runtime: contract in, supervised service out.

A map, from what a service author meets first to what only plugin authors need:

* `runtime`: `start`, `run`, `execute_job`, `open_contract`; the life of a process.
* `config`, `secret`: `env` and `Secret`; an attrs class becomes typed variables.
* `contract`: `ServiceContract` and `JobContract`; what the platform gave, `contract[Redis]`.
* `routines`: `Routine` and the ways to make one of several.
* `http`: `HTTPServer`, for any ASGI or WSGI application (extra `http`; import it from there).
* `diagnostics`, `health`: endpoints, the auth middleware, and the running of checks.
* `hookspecs`, `integration`: the hooks and the records plugins return from them.
* `errors`: everything raised on purpose.
* `services`, `assembly`: finding a service, and everything about it short of opening anything.
* `deadline`, `platforms`, `asgi`, `dev`: small values the others share.

Modules that start with `_` are private. Importing this package reads no environment, sets up no
logging and pulls in no vendor library.
"""

from msp_core.contract import Contract, JobContract, ServiceContract
from msp_core.deadline import Deadline
from msp_core.diagnostics import Diagnostics, Route
from msp_core.errors import (
    ConfigError,
    ContractError,
    InvalidValue,
    MSPError,
    PluginError,
    Problem,
    RoutineError,
    StopTimeoutError,
    UsageError,
)
from msp_core.integration import Command, Integration, LogProcessor
from msp_core.platforms import Platform
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

__all__ = [
    "CallbackRoutine",
    "CombinedRoutine",
    "Command",
    "ConfigError",
    "Contract",
    "ContractError",
    "Deadline",
    "Diagnostics",
    "FIFOStopRoutine",
    "Integration",
    "InvalidValue",
    "JobContract",
    "LIFOStopRoutine",
    "LogProcessor",
    "MSPError",
    "NoopRoutine",
    "PeriodicRoutine",
    "Platform",
    "PluginError",
    "Problem",
    "Route",
    "Routine",
    "RoutineError",
    "ServiceContract",
    "StopTimeoutError",
    "UsageError",
    "go",
]
