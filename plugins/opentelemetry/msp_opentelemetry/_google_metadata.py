"""What Google's metadata server tells about this instance of Cloud Run."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

from msp_core.contract import Contract
from msp_core.platforms import Platform
from msp_opentelemetry._bounded import bounded

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
        told = await bounded(lambda: _ask(host), name="google metadata", seconds=_SECONDS)
        return {**known, **_attributes(told)}
    except (OSError, ValueError, LookupError, TypeError):  # TimeoutError is an OSError
        return known


def _ask(host: str) -> Any:  # noqa: ANN401 - JSON
    request = urllib.request.Request(
        f"http://{host}/computeMetadata/v1/?recursive=true", headers={"Metadata-Flavor": "Google"}
    )
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - http, by Google's own definition
        return json.load(answer)


def _attributes(told: Mapping[str, Any]) -> dict[str, str]:
    return {
        "cloud.account.id": str(told["project"]["projectId"]),
        "cloud.region": str(told["instance"]["region"]).rpartition("/")[2],
        "faas.instance": str(told["instance"]["id"]),
    }
