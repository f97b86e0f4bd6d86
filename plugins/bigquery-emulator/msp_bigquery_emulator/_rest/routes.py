"""Routes: which part of the REST API answers which path."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote

import attrs
import duckdb

from msp_bigquery_emulator._errors import BigQueryError, invalid, make_unsupported, not_found
from msp_bigquery_emulator._rest.datasets_api import DatasetsAPI
from msp_bigquery_emulator._rest.jobs_api import JobsAPI
from msp_bigquery_emulator._rest.request import Answer, Answering, Request
from msp_bigquery_emulator._rest.results_api import ResultsAPI
from msp_bigquery_emulator._rest.tables_api import TablesAPI
from msp_bigquery_emulator._rest.uploads_api import UploadsAPI

_PROJECT: Final = "/projects/(?P<project>[^/]+)"
_PREFIX: Final = f"(?:/bigquery/v2)?{_PROJECT}"
_UPLOAD: Final = f"/upload/bigquery/v2{_PROJECT}/jobs"
_DATASET: Final = "/datasets/(?P<dataset>[^/]+)"
_TABLE: Final = f"{_DATASET}/tables/(?P<table>[^/]+)"
_JOB: Final = "/jobs/(?P<job>[^/]+)"


@attrs.frozen
class Route:
    """One method of the API.

    Attributes:
        method: of HTTP.
        pattern: of the whole path.
        answer: gives the answer.
    """

    method: str
    pattern: re.Pattern[str]
    answer: Answering


@attrs.frozen
class Routes:
    """All methods of the API.

    Attributes:
        project: the only one there is.
        routes: tried in order.
    """

    project: str
    routes: Sequence[Route]

    def answer(self, method: str, path: str, request: Request) -> Answer:
        """Answer a request; what goes wrong is an answer too.

        Raises:
            ConnectionError: the emulator is stopping.
        """
        try:
            return self._answer(method, path, request)
        except BigQueryError as refused:
            return _refusal(refused)
        except duckdb.Error as error:
            return _refusal(invalid(str(error).strip().partition("\n")[0]))
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours: 500 would be tried for minutes
            traceback.print_exc(file=sys.stderr)
            name = type(error).__name__
            return _refusal(make_unsupported(f"this request ({name}, see its standard error)"))

    def _answer(self, method: str, path: str, request: Request) -> Answer:
        known = False
        for route in self.routes:
            match = route.pattern.fullmatch(path)
            if match is None:
                continue
            known = True
            if route.method == method:
                parts = {name: unquote(part) for name, part in match.groupdict().items()}
                if parts["project"] != self.project:
                    raise not_found("Project", parts["project"])
                return route.answer(attrs.evolve(request, path=parts))
        if known:
            raise make_unsupported(f"{method} of this path")
        there = f"/bigquery/v2/projects/{self.project}"
        raise BigQueryError(
            404, "notFound", f"Not found: this BigQuery emulator answers at {there}/…"
        )


def _refusal(error: BigQueryError) -> Answer:
    return Answer(error.body, status=error.status)


def api_routes(
    project: str,
    datasets: DatasetsAPI,
    tables: TablesAPI,
    jobs: JobsAPI,
    results: ResultsAPI,
    uploads: UploadsAPI,
) -> Routes:
    """Return the routes of the API's parts."""
    table = [
        ("GET", "/datasets", datasets.list),
        ("POST", "/datasets", datasets.insert),
        ("GET", _DATASET, datasets.get),
        ("PATCH", _DATASET, datasets.change),
        ("PUT", _DATASET, datasets.change),
        ("DELETE", _DATASET, datasets.delete),
        ("GET", f"{_DATASET}/tables", tables.list),
        ("POST", f"{_DATASET}/tables", tables.insert),
        ("GET", _TABLE, tables.get),
        ("PATCH", _TABLE, tables.change),
        ("PUT", _TABLE, tables.change),
        ("DELETE", _TABLE, tables.delete),
        ("POST", f"{_TABLE}/insertAll", tables.insert_rows),
        ("GET", f"{_TABLE}/data", tables.list_rows),
        ("GET", "/jobs", jobs.list),
        ("POST", "/jobs", jobs.insert),
        ("GET", _JOB, jobs.get),
        ("POST", f"{_JOB}/cancel", jobs.cancel),
        ("DELETE", f"{_JOB}/delete", jobs.delete),
        ("POST", "/queries", jobs.query),
        ("GET", "/queries/(?P<job>[^/]+)", results.get),
    ]
    routes = [Route(method, re.compile(_PREFIX + path), answer) for method, path, answer in table]
    upload = re.compile(_UPLOAD)
    routes.append(Route("POST", upload, uploads.begin))
    routes.append(Route("PUT", upload, uploads.resume))
    return Routes(project, tuple(routes))
