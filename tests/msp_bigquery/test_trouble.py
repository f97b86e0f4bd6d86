"""Trouble: which failures pass, which need somebody, and which are final."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from google.api_core import exceptions
from google.auth import exceptions as auth

from msp_bigquery._delivery.trouble import Trouble, TroubleKind

GRPC: Any = exceptions  # its constructors are not typed
PASSING, DENIED = TroubleKind.PASSING, TroubleKind.DENIED
TOO_LARGE, REFUSED = TroubleKind.TOO_LARGE, TroubleKind.REFUSED


def answered(status: int, reason: str | None = None, message: str = "m") -> Exception:
    """Return what Google's library makes of an answer."""
    errors = [{"reason": reason}] if reason else []
    error: Exception = exceptions.from_http_status(status, message, errors=errors)  # type: ignore[no-untyped-call]
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (answered(500), PASSING),
        (answered(502), PASSING),
        (answered(503, "backendError"), PASSING),
        (answered(408), PASSING),
        (answered(429), PASSING),
        (answered(403, "quotaExceeded"), PASSING),
        (answered(403, "accessDenied"), DENIED),
        (answered(401), DENIED),
        (answered(404, "notFound"), DENIED),
        (answered(413), TOO_LARGE),
        (answered(400, "invalid", "Request payload size exceeds the limit"), TOO_LARGE),
        (GRPC.ResourceExhausted("Received message larger than max (2 vs. 1)"), TOO_LARGE),
        (GRPC.ResourceExhausted("quota"), PASSING),
        (answered(400, "invalid"), REFUSED),
        (answered(418), REFUSED),
        (GRPC.Aborted("x"), PASSING),
        (GRPC.Cancelled("x"), PASSING),
        (GRPC.DeadlineExceeded("x"), PASSING),
        (GRPC.InvalidArgument("x"), REFUSED),
        (GRPC.PermissionDenied("x"), DENIED),
        (requests.exceptions.ConnectionError(), PASSING),
        (requests.exceptions.ReadTimeout(), PASSING),
        (requests.exceptions.ChunkedEncodingError(), PASSING),
        (requests.exceptions.SSLError(), DENIED),
        (auth.TransportError(), PASSING),  # type: ignore[no-untyped-call]
        (auth.RefreshError(retryable=True), PASSING),  # type: ignore[no-untyped-call]
        (auth.RefreshError(), DENIED),  # type: ignore[no-untyped-call]
        (auth.DefaultCredentialsError(), DENIED),  # type: ignore[no-untyped-call]
        (TimeoutError(), PASSING),
        (ConnectionResetError(), PASSING),
        (ValueError("hunter2"), REFUSED),
    ],
    ids=repr,
)
def test_judges_every_failure(error: Exception, kind: TroubleKind) -> None:
    """An outage is waited for, a missing right is told, a bad request is final."""
    assert Trouble.of(error).kind is kind


def test_says_what_happened_without_values() -> None:
    """A library's own text may hold the request; ours has class, status and reason."""
    denied = Trouble.of(answered(403, "accessDenied", "hunter2"))

    assert denied.text == (
        "Forbidden (403, accessDenied): the service's identity may not write to it: "
        "grant it roles/bigquery.dataEditor on the dataset"
    )
    assert Trouble.of(answered(500, None, "hunter2")).text == "InternalServerError (500)"
    assert Trouble.of(ValueError("hunter2")).text == "ValueError"


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ([{"reason": "first"}, {"reason": "second"}], "(400, first)"),
        ([{}], "(400)"),
        (["hunter2"], "(400)"),
        ([], "(400)"),
        (None, "(400)"),
    ],
)
def test_names_google_s_first_reason_if_there_is_one(errors: Any, said: str) -> None:
    """Whatever the body of an answer looks like."""

    class AnsweredError(Exception):
        code = 400

    error = AnsweredError("hunter2")
    if errors is not None:
        vars(error)["errors"] = errors

    assert Trouble.of(error).text == f"AnsweredError {said}"


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({"service": "bigquery.googleapis.com"}, "bigquery.googleapis.com"),
        ({"service": "bigquerystorage.googleapis.com"}, "bigquerystorage.googleapis.com"),
        (None, "bigquery.googleapis.com or bigquerystorage.googleapis.com"),
    ],
)
def test_names_the_api_that_is_not_enabled(metadata: dict[str, str] | None, named: str) -> None:
    """A project without the API lacks no role: the text names what to enable."""
    info = {"reason": "SERVICE_DISABLED", "metadata": metadata}
    trouble = Trouble.of(GRPC.Forbidden("hunter2", error_info=info))

    assert trouble.kind is DENIED
    assert trouble.text == f"Forbidden (403): an API is not enabled in the project: enable {named}"
