"""Outgoing: the last look at an event before it leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs
import sentry_sdk
from sentry_sdk.client import BaseClient
from sentry_sdk.utils import capture_internal_exceptions, event_from_exception

from msp_core import Origin, RoutineError, current_request
from msp_sentry._trace import opentelemetry_span, request_span

Event = Any
"""A dict; the SDK has a type of its own for it, which changes with every release."""

# Seconds for which an exception that is seen again is the same error: logged where it was caught
# and again where it ended a request, a routine or the process. A program that raises one exception
# object for ever is heard of once in that time.
SAME: Final = 60.0

_MARK: Final = "_msp_sentry_reported"

# Parts of an event that Sentry checks; a secret that equals one is a coincidence.
_STRUCTURE: Final = frozenset({"event_id", "level", "platform", "sdk", "timestamp", "type"})


@attrs.frozen(kw_only=True, eq=False)
class Outgoing:
    """Drops an error that was reported already; adds origin and trace; takes secrets out.

    Attributes:
        origin: of all events.
        scrub: (text) -> the text without secrets.
    """

    origin: Origin
    scrub: Callable[[str], str]

    def error(self, event: Event, hint: Mapping[str, Any]) -> Event:
        """Return the event as it is to be sent, None for one that was sent already."""
        exc_info = hint.get("exc_info")
        if exc_info and not _first_time(exc_info[1]):
            return None
        if event.get("type") != "check_in":
            self._complete(event)
        return self.transaction(event, hint)

    def transaction(self, event: Event, _hint: Mapping[str, Any]) -> Event:
        """Return the event without secrets."""
        return {
            key: value if key in _STRUCTURE else self._scrub(value) for key, value in event.items()
        }

    def _complete(self, event: Event) -> None:
        tags = {"scope": event.get("logger") or "sentry", **_tags(self.origin)}
        event["tags"] = {**tags, **event.get("tags", {})}
        contexts = event.setdefault("contexts", {})
        if trace := _trace():
            contexts["trace"] = trace
        if request := current_request.get():
            contexts.setdefault("log", {}).setdefault("request_id", request.request_id)

    def _scrub(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, dict):
            return {key: self._scrub(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._scrub(item) for item in value]
        return value


def report(error: BaseException, *, logger: str) -> None:
    """Report an error through the current client and scopes; never raises.

    Args:
        error: that ended something.
        logger: whose line the event would be if it was logged.
    """
    if not was_reported(error):
        with capture_internal_exceptions():
            event, hint = make_event(error, sentry_sdk.get_client(), logger=logger)
            sentry_sdk.capture_event(event, hint=hint)


def make_event(
    error: BaseException, client: BaseClient, *, logger: str
) -> tuple[Any, dict[str, Any]]:
    """Return event and hint of an error, as the SDK takes them."""
    mechanism = {"type": "msp", "handled": False}
    event, hint = event_from_exception(error, client_options=client.options, mechanism=mechanism)
    event["logger"] = logger
    return event, hint


def _tags(origin: Origin) -> dict[str, str]:
    """Return the tags of every event; its environment is a field of its own."""
    named = {f"resource.{name}": text for name, text in origin.attributes().items()}
    named.pop("resource.deployment.environment.name")
    return named


def was_reported(error: BaseException) -> bool:
    """Return whether an event of the exception left a short while ago."""
    marks = (each.__dict__[_MARK] for each in _with_cause(error) if _MARK in each.__dict__)
    return any(time.monotonic() < mark + SAME for mark in marks)


def _first_time(error: BaseException) -> bool:
    """Return whether the exception was not reported yet; it is from now on.

    The mark is kept in the exception: a table of them would keep their frames alive.
    """
    if was_reported(error):
        return False
    for each in _with_cause(error):
        each.__dict__[_MARK] = time.monotonic()
    return True


def _with_cause(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception and, below the runtime's word for a routine's failure, its cause."""
    yield error
    if isinstance(error, RoutineError) and error.__cause__ is not None:
        yield from _with_cause(error.__cause__)


def _trace() -> dict[str, str] | None:
    """Return the trace the log lines name; None to keep Sentry's own."""
    if trace := opentelemetry_span():
        return trace
    span = sentry_sdk.get_current_span()
    return None if span is not None and span.sampled else request_span()
