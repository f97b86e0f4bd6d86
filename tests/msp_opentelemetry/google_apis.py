"""GoogleAPIs: a fake of Google that knows who may do what, and refuses as Google does."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

import attrs
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo, Help  # type: ignore[import-untyped]  # same
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # generated

from tests.google_roles import WORKLOAD, allowed
from tests.msp_opentelemetry.endpoint import Answer, Endpoint, Received

TELEMETRY, CLOUD_TRACE = "telemetry.googleapis.com", "cloudtrace.googleapis.com"
TOKEN = {"access_token": "fake-token", "expires_in": 3600, "token_type": "Bearer"}
DENIED = 7  # google.rpc.Code.PERMISSION_DENIED

# Path -> the API it belongs to, and the permission it needs.
NEEDED = {
    "/v1/traces": (TELEMETRY, "telemetry.traces.write"),
    "/v1/metrics": (TELEMETRY, "monitoring.timeSeries.create"),
    "/v2/projects/garden/traces:batchWrite": (CLOUD_TRACE, "cloudtrace.traces.patch"),
}


@attrs.frozen
class Denial:
    """A refusal, in the words of Google."""

    message: str
    reason: str
    domain: str
    metadata: dict[str, str]
    link: str = "https://console.developers.google.com"

    def status(self) -> Status:
        """Return it as OTLP has it."""
        info = ErrorInfo(reason=self.reason, domain=self.domain, metadata=self.metadata)
        links = Help(links=[Help.Link(description="Google developers console", url=self.link)])
        details = [AnyMessage(), AnyMessage()]
        details[0].Pack(links)
        details[1].Pack(info)
        return Status(code=DENIED, message=self.message, details=details)

    def body(self) -> dict[str, Any]:
        """Return it as Google's other APIs have it."""
        kind = "type.googleapis.com/google.rpc"
        links = [{"description": "Google developers console", "url": self.link}]
        info = {"reason": self.reason, "domain": self.domain, "metadata": self.metadata}
        details = [
            {"@type": f"{kind}.Help", "links": links},
            {"@type": f"{kind}.ErrorInfo", **info},
        ]
        status = {"code": 403, "message": self.message, "status": "PERMISSION_DENIED"}
        return {"error": {**status, "details": details}}


def disabled(api: str) -> Denial:
    """Return what Google says of an API that the project does not use."""
    title = "Telemetry API" if api == TELEMETRY else "Cloud Trace API"
    message = (
        f"{title} has not been used in project 7 before or it is disabled. Enable it by visiting "
        f"https://console.developers.google.com/apis/api/{api}/overview?project=7 then retry."
    )
    metadata = {"consumer": "projects/7", "service": api}
    return Denial(message, "SERVICE_DISABLED", "googleapis.com", metadata)


def not_permitted(permission: str) -> Denial:
    """Return what Google says of an account that lacks a permission."""
    message = f"Permission '{permission}' denied on resource (or it may not exist)."
    metadata = {"permission": permission, "resource": "projects/garden"}
    return Denial(message, "IAM_PERMISSION_DENIED", "iam.googleapis.com", metadata)


def may_not_charge(api: str, project: str) -> Denial:
    """Return what Google says of an account that names a project to be charged."""
    message = (
        f"Caller does not have required permission to use project {project}. Grant the caller the "
        "roles/serviceusage.serviceUsageConsumer role, or a custom role with the "
        "serviceusage.services.use permission."
    )
    metadata = {"consumer": f"projects/{project}", "service": api}
    return Denial(message, "USER_PROJECT_DENIED", "googleapis.com", metadata)


class GoogleAPIs(Endpoint):
    """The server of tokens, the Telemetry API and the Cloud Trace API.

    Attributes:
        roles: of whoever asks.
        enabled: APIs that the project uses.
        taken: paths of the requests that were allowed.
        sick: status by path, of what fails.
    """

    def __init__(
        self,
        roles: Collection[str] = WORKLOAD,
        enabled: Collection[str] = (TELEMETRY, CLOUD_TRACE),
    ) -> None:
        super().__init__()
        self.roles = roles
        self.enabled = enabled
        self.taken: list[str] = []
        self.sick: dict[str, int] = {}

    def respond(self, request: Received) -> Answer:
        """Refuse what is not allowed; take the rest."""
        if request.path == "/token":
            return Answer(200, json.dumps(TOKEN).encode(), "application/json")
        if request.path in self.sick:
            return Answer(self.sick[request.path])
        if request.headers.get("authorization") != "Bearer fake-token":
            return Answer(401)
        otlp = request.path.startswith("/v1/")
        denial = self._denial(request)
        if denial is None:
            self.taken.append(request.path)
            return Answer(200) if otlp else Answer(200, b"{}", "application/json")
        if otlp:
            return Answer(403, denial.status().SerializeToString(), "application/x-protobuf")
        return Answer(403, json.dumps(denial.body()).encode(), "application/json; charset=UTF-8")

    def _denial(self, request: Received) -> Denial | None:
        api, permission = NEEDED[request.path]
        charged = request.headers.get("x-goog-user-project")
        if charged and not allowed("serviceusage.services.use", self.roles):
            return may_not_charge(api, charged)
        if api not in self.enabled:
            return disabled(api)
        return None if allowed(permission, self.roles) else not_permitted(permission)
