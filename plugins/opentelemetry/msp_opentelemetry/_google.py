"""A session that is authorised at Google. Imports google-auth."""

from __future__ import annotations

from typing import Any

import google.auth
from google.auth.credentials import Credentials
from google.auth.transport.requests import AuthorizedSession

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


class LateCredentials(Credentials):  # type: ignore[misc, no-any-unimported, unused-ignore]  # untyped there
    """The application default credentials, looked for when they are first needed.

    Looking for them may wait for the metadata server, and no service starts later for that.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        self._found: Any = None

    def refresh(self, request: Any) -> None:  # noqa: ANN401 - google-auth's own, untyped
        """Get a token.

        Raises:
            google.auth.exceptions.GoogleAuthError: there are no credentials, or they are refused.
        """
        if self._found is None:
            self._found, _ = google.auth.default(scopes=_SCOPES, request=request)
        self._found.refresh(request)
        self.token = self._found.token
        self.expiry = self._found.expiry


def google_session() -> Any:  # noqa: ANN401 - untyped there
    """Return a requests session whose requests carry a token."""
    return AuthorizedSession(LateCredentials())  # type: ignore[no-untyped-call, unused-ignore]
