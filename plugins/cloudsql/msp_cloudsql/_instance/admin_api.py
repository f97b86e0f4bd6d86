"""AdminAPI: the three questions that are asked of the Cloud SQL Admin API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from msp_cloudsql._instance.errors import InstanceError
from msp_cloudsql._instance.refreshed import Refreshed
from msp_cloudsql._instance.roles import ADMIN_API, CLIENT
from msp_core.config import Secret

_TIMEOUT = 5.0  # seconds for one answer
_OK = 200


class AdminAPI:
    """The Admin API, asked about one instance. Blocks: for threads only.

    Args:
        endpoint: scheme and host.
        instance: connection name, `project:region:instance`.
        token: shows who asks.
    """

    def __init__(self, endpoint: str, instance: str, token: Refreshed[Secret]) -> None:
        project, _, name = instance.rsplit(":", 2)
        self._url = f"{endpoint}/sql/v1beta4/projects/{quote(project)}/instances/{quote(name)}"
        self._instance = instance
        self._token = token

    def connect_settings(self) -> dict[str, Any]:
        """Return addresses and server CA.

        Raises:
            InstanceError: the API did not answer, or refused; the same below.
        """
        return self._ask("GET", "/connectSettings")

    def describe(self) -> dict[str, Any]:
        """Return the instance's own settings."""
        return self._ask("GET", "")

    def ephemeral_certificate(self, public_key: str) -> str:
        """Return a client certificate for a key, both PEM; it lives about an hour."""
        answer = self._ask("POST", ":generateEphemeralCert", {"public_key": public_key})
        return str(answer["ephemeralCert"]["cert"])

    def _ask(self, method: str, path: str, body: Mapping[str, str] | None = None) -> dict[str, Any]:
        import requests  # noqa: PLC0415 - vendor library: imported where it is needed

        try:
            answer = requests.request(
                method,
                self._url + path,
                json=body,
                headers={"Authorization": f"Bearer {self._token.get().value.reveal()}"},
                timeout=_TIMEOUT,
                allow_redirects=False,  # whoever is elsewhere gets no token
            )
            if answer.status_code != _OK:
                disabled = b"SERVICE_DISABLED" in answer.content
                raise self._explain_refusal(answer.status_code, disabled=disabled)
            return dict(json.loads(answer.content))
        except (requests.RequestException, ValueError) as error:
            raise InstanceError(
                f"no usable answer of the Cloud SQL Admin API about {self._instance!r}: "
                f"{type(error).__name__}"
            ) from None

    def _explain_refusal(self, status: int, *, disabled: bool) -> InstanceError:
        api = f"{ADMIN_API.name} enabled"
        rest = f"an instance that exists, and {CLIENT.name} for the service's account"
        return InstanceError(
            f"the Cloud SQL Admin API answers {status} about {self._instance!r}: "
            f"expected {api if disabled else rest}"
        )
