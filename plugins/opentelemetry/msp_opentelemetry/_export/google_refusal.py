"""Refusal: why Google refuses a request, and what to do. Imports Google's messages of errors."""

from __future__ import annotations

import json
from typing import Any

import attrs
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo  # type: ignore[import-untyped]  # same
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # generated

_CONSUMER = "roles/serviceusage.serviceUsageConsumer"


@attrs.frozen
class Refusal:
    """An answer 403.

    Attributes:
        reason: `SERVICE_DISABLED`, `IAM_PERMISSION_DENIED`, `USER_PROJECT_DENIED` or another of
            Google's; empty when it names none.
        service: API that refuses, such as `telemetry.googleapis.com`; empty when it names none.
    """

    reason: str = ""
    service: str = ""

    def advice(self, *, role: str, api: str) -> str:
        """Return what is missing and what to do about it, one clause.

        Args:
            role: that allows the request.
            api: that was asked.
        """
        if self.reason == "SERVICE_DISABLED":
            name = self.service or api
            return f"the API {name} is not enabled, run `gcloud services enable {name}`"
        if self.reason == "USER_PROJECT_DENIED":
            return f"the account may not charge the project, grant it {_CONSUMER} there"
        return f"the account may not use {api}, grant it {role}"


def read_refusal(content_type: str, body: bytes) -> Refusal:
    """Return the refusal that an answer of Google holds; an empty one for any other answer.

    Args:
        content_type: of the answer: Google answers OTLP in protobuf, its other APIs in JSON.
        body: of the answer.
    """
    try:
        if "json" in content_type:
            return _from_json(json.loads(body))
        return _from_status(Status.FromString(body))
    except (DecodeError, LookupError, TypeError, ValueError):
        return Refusal()


def _from_json(answer: Any) -> Refusal:  # noqa: ANN401 - JSON
    for detail in answer["error"].get("details", ()):
        if detail["@type"].endswith("google.rpc.ErrorInfo"):
            return Refusal(detail["reason"], detail.get("metadata", {}).get("service", ""))
    return Refusal()


def _from_status(status: Status) -> Refusal:
    info = ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info):
            return Refusal(info.reason, info.metadata.get("service", ""))
    return Refusal()
