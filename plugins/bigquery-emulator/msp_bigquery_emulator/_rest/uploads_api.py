"""REST's uploads: a load job and its rows, in one request or in several."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import attrs

from msp_bigquery_emulator._errors import invalid, not_found
from msp_bigquery_emulator._jobs.jobs import kind_of
from msp_bigquery_emulator._jobs.loads import Loads
from msp_bigquery_emulator._rest.jobs_api import JobsAPI
from msp_bigquery_emulator._rest.request import Answer, Request, parse_object

_RANGE: Final = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
_BOUNDARY: Final = re.compile(r"boundary=\"?([^\";]+)\"?")
_MORE: Final = 308  # "Resume Incomplete", in Google's protocol


@attrs.define
class _Upload:
    """An upload that comes in pieces."""

    job: Mapping[str, Any]
    content: bytearray = attrs.field(factory=bytearray)
    done: Answer | None = None


class UploadsAPI:
    """Answers requests that upload rows."""

    def __init__(self, jobs_api: JobsAPI, loads: Loads) -> None:
        self._jobs_api = jobs_api
        self._loads = loads
        self._uploads: dict[str, _Upload] = {}
        self._lock = threading.Lock()

    def begin(self, request: Request) -> Answer:
        """Load what one request brings, or say where the pieces of a larger one go."""
        kind = request.query.get("uploadType")
        if kind == "multipart":
            return self._load(request, *_parts(request))
        if kind != "resumable":
            raise invalid("Invalid uploadType: expected multipart or resumable", "uploadType")
        name = uuid.uuid4().hex
        with self._lock:
            self._uploads[name] = _Upload(request.body)
        host = request.headers.get("host", "")
        project = quote(request.path["project"])
        path = f"/upload/bigquery/v2/projects/{project}/jobs?uploadType=resumable&upload_id={name}"
        return Answer(
            {}, headers={"Location": f"http://{host}{path}", "X-GUploader-UploadID": name}
        )

    def resume(self, request: Request) -> Answer:
        """Take a piece, and load when it was the last; answer how far it came."""
        name = request.query.get("upload_id", "")
        match = _RANGE.fullmatch(request.headers.get("content-range", ""))
        if match is None:
            raise invalid("Invalid Content-Range: expected bytes first-last/total", "Content-Range")
        with self._lock:
            upload = self._uploads.get(name)
            if upload is None:
                raise not_found("Upload", name)
            if match[1] and int(match[1]) == len(upload.content):
                upload.content += request.content
            if upload.done is None and match[3] == str(len(upload.content)):
                upload.done = self._load(request, upload.job, bytes(upload.content))
                upload.content.clear()
            if upload.done is not None:
                return upload.done
            come = {"Range": f"bytes=0-{len(upload.content) - 1}"} if upload.content else {}
            return Answer({}, status=_MORE, headers=come)

    def _load(self, request: Request, body: Mapping[str, Any], content: bytes) -> Answer:
        configuration = body.get("configuration") or {}
        if kind_of(configuration) != "load":
            raise invalid("Invalid upload: only load jobs take one")
        return self._jobs_api.run(
            request,
            body.get("jobReference") or {},
            configuration,
            lambda control: (None, self._loads.run(configuration["load"], [content], control)),
        )


def _parts(request: Request) -> tuple[Mapping[str, Any], bytes]:
    """Return the job and the content of a multipart/related body."""
    match = _BOUNDARY.search(request.headers.get("content-type", ""))
    parts = request.content.split(b"--" + match[1].encode()) if match else []
    if len(parts) != 4:  # noqa: PLR2004 - nothing, the job, the content, the end
        raise invalid("Invalid multipart body: expected a job and its content")
    job, content = (part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for part in parts[1:3])
    return parse_object(job), content
