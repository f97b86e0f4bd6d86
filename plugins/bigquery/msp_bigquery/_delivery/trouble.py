"""Trouble: what a failed request means for the rows in it."""

from __future__ import annotations

import enum
from http import HTTPStatus
from typing import Any

import attrs

from msp_bigquery._roles import APIS, WRITING

# Reasons in the body of an answer that are over after a while, whatever status it has.
_PASSING_REASONS = frozenset(
    {"backendError", "internalError", "quotaExceeded", "rateLimitExceeded", "timeout"}
)
_PASSING_CODES = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.CONFLICT,  # gRPC's ABORTED
        HTTPStatus.TOO_MANY_REQUESTS,
        499,  # gRPC's CANCELLED
    }
)
# BigQuery's for HTTP and for appends, and gRPC's own, which has the status of a quota.
_SIZE_WORDS = ("payload size", "request size", "too large", "larger than max")
_HINTS: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "the service's credentials are not accepted",
    HTTPStatus.FORBIDDEN: (
        f"the service's identity may not write to it: grant it {WRITING.name} on the dataset"
    ),
    HTTPStatus.NOT_FOUND: "it does not exist, or the service's identity may not see it",
}


class TroubleKind(enum.Enum):
    """What to do about a failed request."""

    PASSING = "try again"
    DENIED = "somebody has to grant, create or configure something first"
    TOO_LARGE = "send fewer rows at once"
    REFUSED = "give up on these rows"


@attrs.frozen
class Trouble:
    """Why a request failed.

    Attributes:
        kind: what to do about it.
        text: what happened, without anything that was sent or that the environment gave.
    """

    kind: TroubleKind
    text: str

    @classmethod
    def of(cls, error: Exception) -> Trouble:
        """Judge what a Google library, or what it is built on, has raised."""
        code = getattr(error, "code", None)
        if isinstance(code, int):
            return _judge_answer(error, code)
        return cls(_kind_of_unanswered(error), type(error).__name__)


def _judge_answer(error: Any, code: int) -> Trouble:  # noqa: ANN401 - google.api_core's, untyped here
    reason = _reason(error)
    text = f"{type(error).__name__} ({code}{f', {reason}' if reason else ''})"
    if code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or _is_size(error):
        return Trouble(TroubleKind.TOO_LARGE, text)
    if reason in _PASSING_REASONS or code in _PASSING_CODES:
        return Trouble(TroubleKind.PASSING, text)
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Trouble(TroubleKind.PASSING, text)
    if code in _HINTS:
        return Trouble(TroubleKind.DENIED, f"{text}: {_advise_enabling(error) or _HINTS[code]}")
    return Trouble(TroubleKind.REFUSED, text)


def _reason(error: Any) -> str | None:  # noqa: ANN401 - same
    try:
        reason = error.errors[0]["reason"]
    except (AttributeError, IndexError, KeyError, TypeError):  # an answer without BigQuery's body
        return None
    return str(reason)


def _advise_enabling(error: Any) -> str | None:  # noqa: ANN401 - same
    """Return what to do about an API that is not enabled; None when that is not the trouble."""
    if getattr(error, "reason", None) != "SERVICE_DISABLED":
        return None
    service = (error.metadata or {}).get("service")
    names = [api.name for api in APIS if service in (api.name, None)]
    return f"an API is not enabled in the project: enable {' or '.join(names)}"


def _is_size(error: Exception) -> bool:
    text = str(error).lower()
    return any(words in text for words in _SIZE_WORDS)


def _kind_of_unanswered(error: Exception) -> TroubleKind:
    import requests  # noqa: PLC0415 - vendor library: raised the error, so it is imported already
    from google.auth import exceptions as auth  # noqa: PLC0415 - same

    if isinstance(error, requests.exceptions.SSLError):
        return TroubleKind.DENIED
    if isinstance(error, auth.GoogleAuthError):
        lost = error.retryable or isinstance(error, auth.TransportError)
        return TroubleKind.PASSING if lost else TroubleKind.DENIED
    if isinstance(error, OSError):  # TimeoutError, ConnectionError and requests' own among them
        return TroubleKind.PASSING
    return TroubleKind.REFUSED
