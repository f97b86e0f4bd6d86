"""DSN: the address and key of a Sentry project, judged without the SDK."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from msp_core.config import Secret
from msp_core.errors import InvalidValue

FORM: Final = "https://key@host/project, the project a number"


def check_dsn(dsn: Secret) -> None:
    """Accept what the SDK accepts.

    Importing the SDK takes most of a second, which programs without a DSN do not spend.

    Raises:
        InvalidValue: it is no DSN; the text holds no part of it.
    """
    try:
        parts = urlsplit(dsn.reveal())
        int(parts.path.rpartition("/")[2])
        parts.port  # noqa: B018 - raises, too
    except ValueError:  # its text holds parts of the DSN
        raise InvalidValue(FORM) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or not parts.username:
        raise InvalidValue(FORM)
