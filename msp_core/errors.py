"""Every error this project raises on purpose; data as attributes, texts without values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import attrs


class MSPError(Exception):
    """Root of the errors that the runtime turns into one message and an exit code.

    Attributes:
        exit_code: what the process leaves with when the error ends it.
    """

    exit_code: ClassVar[int] = 1


class UsageError(MSPError):
    """A command line, or a call of the public API, that cannot be carried out as given."""

    exit_code = 2


@attrs.frozen(kw_only=True)
class Problem:
    """One thing that is wrong with the environment. Never holds a value.

    Attributes:
        variable: its name, or several joined by a comma when a rule spans them.
        owner: who needs it: `core`, `plugin 'redis', msp-redis 0.1.0`, `service 'guestbook'`;
            empty when nobody in particular does.
        wrong: what is wrong, one clause: `is missing`, `is not a boolean`.
        expected: what would be accepted, empty when `wrong` says it already.
        help: the variable's help text.
        hint: what to do beyond that, such as a near-miss name; may be empty.
        path: where in a variable that holds JSON, `$.tiers[2].rate`, or `$.tenants{1}.rate` for an
            entry whose key is data; both count from 0. Empty for all of it.
    """

    variable: str
    owner: str
    wrong: str
    expected: str = ""
    help: str = ""
    hint: str = ""
    path: str = ""

    @property
    def clause(self) -> str:
        """What is wrong with what: `PORT is missing`, `LIMITS: $.tiers[2].rate is not a number`."""
        subject = f"{self.variable}: {self.path}" if self.path else self.variable
        return f"{subject} {self.wrong}"

    def __str__(self) -> str:
        """Return the problem as one line."""
        text = self.clause
        if self.expected:
            text += f": expected {self.expected}"
        if self.hint:
            text += f"; {self.hint}"
        reason = f"needed by {self.owner}" if self.owner else ""
        remark = ": ".join(filter(None, (reason, self.help)))
        return f"{text} ({remark})" if remark else text


class ConfigError(MSPError):
    """The environment does not fit what core, plugins and service declared.

    Attributes:
        problems: all of them, in order of declaration.
    """

    exit_code = 78

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InvalidValue(ValueError):  # noqa: N818 - reads as what a validator says
    """Raised by a validator of a config field; its text is shown, so it must not hold the value.

    The text completes the sentence "expected …": `InvalidValue("an even number")`.
    """


class PluginError(MSPError):
    """A plugin that is missing, cannot be imported, or does not fit.

    Attributes:
        plugin: its name, such as `redis`.
        distribution: what provides it, such as `msp-redis`; None when nothing does.
        version: of the distribution; None when it is not installed.
        clause: what is wrong, without the plugin's name where the message begins with it.
    """

    def __init__(
        self,
        message: str,
        *,
        plugin: str,
        distribution: str | None = None,
        version: str | None = None,
        clause: str | None = None,
    ) -> None:
        self.plugin = plugin
        self.clause: str = message if clause is None else clause
        self.distribution = distribution
        self.version = version
        super().__init__(message)


class DevError(MSPError):
    """A dev resource that cannot be started; its text says what the user can do."""


class ContractError(MSPError):
    """The contract was asked for something that is not declared or not configured."""


class RoutineError(MSPError):
    """A routine that could not start, died or failed to stop; a resource that failed to close.

    Attributes:
        routine: the name of the routine or integration; several are joined by a comma.
        errors: of several routines, what each of them ended with; empty for a single one.
    """

    def __init__(self, message: str, *, routine: str, errors: Sequence[RoutineError] = ()) -> None:
        self.routine = routine
        self.errors: tuple[RoutineError, ...] = tuple(errors)
        super().__init__(message)


class EarlyReturnError(RoutineError):
    """The `start` of a routine returned, though nobody had asked for a stop."""


class StopTimeoutError(RoutineError):
    """A routine or resource did not stop before its deadline; the process leaves with 70.

    Attributes:
        stack: where it hangs, for the log; empty where nobody looked.
    """

    exit_code = 70

    def __init__(
        self,
        message: str,
        *,
        routine: str,
        errors: Sequence[RoutineError] = (),
        stack: str = "",
    ) -> None:
        self.stack = stack
        super().__init__(message, routine=routine, errors=errors)


class PortError(RoutineError):
    """The port cannot be listened on: another process does, or this one may not.

    Attributes:
        port: the one.
        reason: what is wrong, without what to do about it.
        routine: `http`.
    """

    def __init__(self, reason: str, advice: str, *, port: int) -> None:
        self.port = port
        self.reason = reason
        super().__init__(f"{reason}: {advice}", routine="http")


class PermanentError(MSPError):
    """Raised by a job that would fail again: the process leaves with 65, a retry is pointless."""

    exit_code = 65


class JobCancelledError(MSPError):
    """The execution of a job was ended before it was done, by a signal or a lost lock."""


class JobDeadlineError(MSPError):
    """The execution of a job was not done when its deadline came near."""


class LockHeldError(MSPError):
    """Another execution of the job holds the lock; this one leaves the work to it, with 0.

    Attributes:
        lock: its name.
    """

    exit_code = 0

    def __init__(self, message: str, *, lock: str) -> None:
        self.lock = lock
        super().__init__(message)
