"""Identity: who this process is to Google, and the access tokens that show it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from msp_cloudsql._instance.errors import InstanceError
from msp_cloudsql._instance.refreshed import Fetched, Refreshed
from msp_core.config import Secret

if TYPE_CHECKING:  # imports the vendor library
    from google.auth.credentials import Credentials

_SCOPE = "https://www.googleapis.com/auth/sqlservice."
_TIMEOUT = 5.0  # seconds for one answer
# Seconds before its end from which a token is asked for again. The metadata server makes no new
# one earlier than about 4 minutes before.
_MARGIN = 225.0
_ENDLESS = 300.0  # seconds after which a token without a known end is asked for again


class Identity:
    """The credentials of this process, found once, and its two access tokens.

    Attributes:
        admin: token for the Admin API.
        login: token that is the password of a database user, and good for nothing else.

    Args:
        find: () -> credentials; called on first use, in a thread.
    """

    def __init__(self, find: Callable[[], Credentials]) -> None:
        self._find = find
        self._lock = Lock()
        self._found: Credentials | None = None
        self.admin = self._token("admin")
        self.login = self._token("login")

    def _token(self, purpose: str) -> Refreshed[Secret]:
        fetch = partial(self._fetch, f"{_SCOPE}{purpose}")
        return Refreshed(fetch, title="access token from Google", margin=_MARGIN)

    def credentials(self) -> Credentials:
        """Return the credentials; may block.

        Raises:
            InstanceError: there are none.
        """
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - vendor library

        with self._lock:  # in threads only
            if self._found is None:
                try:
                    self._found = self._find()
                except GoogleAuthError as error:
                    raise InstanceError(
                        f"no credentials of Google: {type(error).__name__}: expected the "
                        "platform's service account, or locally `gcloud auth "
                        "application-default login`"
                    ) from None
            return self._found

    def _fetch(self, scope: str) -> Fetched[Secret]:
        import requests  # noqa: PLC0415 - vendor library: imported where it is needed
        from google.auth.credentials import with_scopes_if_required  # noqa: PLC0415 - same
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - same
        from google.auth.transport.requests import Request  # noqa: PLC0415 - same

        # A copy: the two tokens do not overwrite each other. A user's credentials have no scopes
        # to choose from, and serve as they are.
        scoped = with_scopes_if_required(self.credentials(), [scope])  # type: ignore[no-untyped-call]  # the library's
        try:
            with requests.Session() as session:
                scoped.refresh(partial(Request(session), timeout=_TIMEOUT))
        except GoogleAuthError as error:  # its text may name the account
            raise InstanceError(
                f"no access token from Google: {type(error).__name__}: expected credentials "
                "that may be used, and a metadata server that answers"
            ) from None
        return Fetched(value=Secret(scoped.token), expires=_end(scoped.expiry))


def _end(expiry: dt.datetime | None) -> float:
    """Return the end as seconds since the epoch; google-auth gives UTC without saying so."""
    if expiry is None:
        return time.time() + _ENDLESS
    return expiry.replace(tzinfo=dt.UTC).timestamp()
