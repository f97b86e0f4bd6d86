"""BigQueryError: what the emulator answers when it refuses, in Google's words and shape."""

from __future__ import annotations

from typing import Any

_STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    411: "INVALID_ARGUMENT",
    412: "FAILED_PRECONDITION",
    413: "INVALID_ARGUMENT",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
}


class BigQueryError(Exception):
    """A request that is refused; never 5xx but 501, because clients retry the others for minutes.

    Attributes:
        status: HTTP status.
        reason: one of Google's reasons, such as `notFound`; clients choose by it.
        message: one sentence for people.
        location: name of the field, parameter or part that is wrong; empty for none.
    """

    def __init__(self, status: int, reason: str, message: str, location: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.location = location

    @property
    def proto(self) -> dict[str, Any]:
        """Google's ErrorProto, as it stands in jobs and insert errors."""
        return {"reason": self.reason, "location": self.location, "message": self.message}

    @property
    def body(self) -> dict[str, Any]:
        """The body of an HTTP answer."""
        error = {"message": self.message, "domain": "global", "reason": self.reason}
        if self.location:
            error |= {"location": self.location}
        return {
            "error": {
                "code": self.status,
                "message": self.message,
                "errors": [error],
                "status": _STATUS_NAMES[self.status],
            }
        }


def invalid(message: str, location: str = "") -> BigQueryError:
    """Return the error of a request that cannot be right."""
    return BigQueryError(400, "invalid", message, location)


def invalid_query(message: str) -> BigQueryError:
    """Return the error of SQL that cannot be right."""
    return BigQueryError(400, "invalidQuery", message, "query")


def not_found(kind: str, name: str) -> BigQueryError:
    """Return the error of something that does not exist, such as `Table`, `project:dataset.t`."""
    return BigQueryError(404, "notFound", f"Not found: {kind} {name}")


def duplicate(kind: str, name: str) -> BigQueryError:
    """Return the error of something that exists already."""
    return BigQueryError(409, "duplicate", f"Already Exists: {kind} {name}")


def make_unsupported(what: str) -> BigQueryError:
    """Return the error of what BigQuery can and this emulator cannot."""
    return BigQueryError(501, "notImplemented", f"{what} is not supported by this emulator")
