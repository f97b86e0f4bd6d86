"""TrustingSession: HTTPS to servers whose authority a variable names. Imports requests."""

from __future__ import annotations

from typing import Any

import requests


class TrustingSession(requests.Session):
    """A session whose own authorities win over those of `REQUESTS_CA_BUNDLE`.

    Requests would take that variable, which a machine may have for something else altogether.

    Attributes:
        verify: PEM file of trusted authorities; set by the exporter.
    """

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:  # noqa: ANN401 - the base's signature
        """Send a request that is prepared."""
        kwargs["verify"] = self.verify
        return super().send(request, **kwargs)
