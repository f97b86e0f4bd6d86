"""What Google's metadata server says about this instance of Cloud Run."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any

from msp_core.authoring import bounded
from msp_core.contract import Contract
from msp_core.platforms import Platform

_PATH = "/computeMetadata/v1/?recursive=true"
_SECONDS = 1.0  # the server is on the same machine


async def detect(contract: Contract) -> dict[str, str]:
    """Return resource attributes on Cloud Run; without an answer, what is known without it.

    Nowhere else is the server looked for: its name may take seconds not to be found.
    """
    if contract.platform is not Platform.CLOUD_RUN:
        return {}
    known = {"cloud.provider": "gcp", "cloud.platform": "gcp_cloud_run"}
    host = contract.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
    try:
        answer = await bounded(lambda: _ask(host), name="google metadata", seconds=_SECONDS)
        return {**known, **_attributes(answer)}
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return known


def _ask(host: str) -> Any:  # noqa: ANN401 - JSON
    # No proxy that the environment may name lies between us and it.
    connection = http.client.HTTPConnection(host, timeout=_SECONDS)
    try:
        connection.request("GET", _PATH, headers={"Metadata-Flavor": "Google"})
        return json.load(connection.getresponse())
    finally:
        connection.close()


def _attributes(answer: Mapping[str, Any]) -> dict[str, str]:
    return {
        "cloud.account.id": str(answer["project"]["projectId"]),
        "cloud.region": str(answer["instance"]["region"]).rpartition("/")[2],
        "faas.instance": str(answer["instance"]["id"]),
    }
