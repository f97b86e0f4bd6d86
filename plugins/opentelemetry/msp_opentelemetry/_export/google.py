"""A session that is authorised at Google. Imports google-auth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import google.auth
import google.oauth2.credentials
from google.auth.credentials import Credentials, CredentialsWithQuotaProject
from google.auth.transport.requests import AuthorizedSession

from msp_opentelemetry._export.google_refusal import Refusal, read_refusal

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_FORBIDDEN = 403


class LateCredentials(Credentials):  # type: ignore[misc, no-any-unimported, unused-ignore]  # untyped there
    """The application default credentials, looked for when they are first needed.

    Looking for them may wait for the metadata server, and no service starts later for that.

    Args:
        project: Google Cloud project that receives the telemetry.
    """

    def __init__(self, project: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        self._project = project
        self._found: Any = None

    def refresh(self, request: Any) -> None:  # noqa: ANN401 - google-auth's own, untyped
        """Get a token.

        Raises:
            google.auth.exceptions.GoogleAuthError: there are no credentials, or they are refused.
        """
        if self._found is None:
            found, own = google.auth.default(scopes=_SCOPES, request=request)
            self._found = _charging(found, own, self._project)
        self._found.refresh(request)
        self.token = self._found.token
        self.expiry = self._found.expiry
        self._quota_project_id = self._found.quota_project_id


class GoogleSession(AuthorizedSession):  # type: ignore[misc, no-any-unimported, unused-ignore]  # untyped there
    """A requests session whose requests carry a token.

    Args:
        project: Google Cloud project that receives the telemetry.
        refused: called with the reason whenever Google refuses a request.
    """

    def __init__(self, project: str, refused: Callable[[Refusal], None]) -> None:
        super().__init__(LateCredentials(project))  # type: ignore[no-untyped-call, unused-ignore]
        self._refused = refused

    def request(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the base's signature
        """Send a request; return the response."""
        response = super().request(*args, **kwargs)  # type: ignore[no-untyped-call, unused-ignore]
        if response.status_code == _FORBIDDEN:
            self._refused(read_refusal(response.headers.get("content-type", ""), response.content))
        return response


def _charging(found: Any, own: str | None, project: str) -> Any:  # noqa: ANN401 - google-auth's own, untyped
    """Return credentials that name the project to charge where Google cannot know it.

    Naming one needs the permission `serviceusage.services.use` there, which the account of a
    workload has not got: without a name its own project is charged.
    """
    needed = isinstance(found, google.oauth2.credentials.Credentials) or own not in {None, project}
    able = isinstance(found, CredentialsWithQuotaProject)
    if not needed or not able or found.quota_project_id:
        return found
    return found.with_quota_project(project)
