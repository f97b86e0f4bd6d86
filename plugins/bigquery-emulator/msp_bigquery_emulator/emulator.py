"""Emulator: a local BigQuery in this process."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from msp_bigquery_emulator._jobs.buckets import Buckets
from msp_bigquery_emulator._jobs.copies import Copies
from msp_bigquery_emulator._jobs.insert_all import InsertAll
from msp_bigquery_emulator._jobs.jobs import Jobs
from msp_bigquery_emulator._jobs.loads import Loads
from msp_bigquery_emulator._jobs.repeats import Repeats
from msp_bigquery_emulator._rest.datasets_api import DatasetsAPI
from msp_bigquery_emulator._rest.http import RESTServer
from msp_bigquery_emulator._rest.jobs_api import JobsAPI
from msp_bigquery_emulator._rest.results_api import ResultsAPI
from msp_bigquery_emulator._rest.routes import Routes, api_routes
from msp_bigquery_emulator._rest.tables_api import TablesAPI
from msp_bigquery_emulator._rest.uploads_api import UploadsAPI
from msp_bigquery_emulator._sql.queries import Queries
from msp_bigquery_emulator._store.catalog import Catalog
from msp_bigquery_emulator._store.database import MEMORY, Database
from msp_bigquery_emulator._store.insert_ids import InsertIds
from msp_bigquery_emulator._store.results import Results
from msp_bigquery_emulator._store.schema_files import apply_schemas
from msp_bigquery_emulator._write_api.grpc import WriteServer
from msp_bigquery_emulator._write_api.write_streams import WriteStreams


@attrs.frozen(kw_only=True)
class Options:
    """What an emulator is started with.

    Attributes:
        project: the only project there is.
        dataset: made when missing; others can be made through the API.
        data: folder of the data, made when missing; one emulator at a time.
        schemas: folder of `<table>.json` files; None for none.
        http_port: of REST, 1..65535; 0 for a free one.
        grpc_port: of the Storage Write API, 1..65535; 0 for a free one.
        buckets: folder whose folders stand for buckets of Cloud Storage; None for none.
        host: address to listen on; the default can be reached from this machine only.
        memory_limit: that DuckDB may use, such as `1GB`; a query that needs more uses files, then
            fails.
        query_timeout: seconds after which a job is stopped.
    """

    project: str
    dataset: str
    data: Path
    schemas: Path | None = None
    http_port: int = 0
    grpc_port: int = 0
    buckets: Path | None = None
    host: str = "127.0.0.1"
    memory_limit: str = MEMORY
    query_timeout: float = 600.0


class Emulator:
    """A local BigQuery, from `with Emulator(options) as emulator:` to the end of the block.

    Attributes:
        http: URL of the REST API, for `BIGQUERY_EMULATOR_HOST`.
        grpc: `host:port` of the Storage Write API.
    """

    http: str
    grpc: str

    def __init__(self, options: Options) -> None:
        self._options = options
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Open the data and begin to answer.

        Raises:
            SchemaFileError: a schema file cannot be used.
            OSError: a port is taken.
            duckdb.Error: another process has the data open.
        """
        with ExitStack() as stack:
            self._open(stack)
            self._stack = stack.pop_all()
        return self

    def _open(self, stack: ExitStack) -> None:
        options = self._options
        database = Database(options.data, options.memory_limit)
        stack.callback(database.close)
        catalog = Catalog(options.project)
        apply_schemas(database, catalog, options.dataset, options.schemas)
        write = WriteServer(WriteStreams(database, catalog), options.host, options.grpc_port)
        stack.callback(write.stop)
        results = Results(database, catalog)
        jobs = Jobs(options.project, results, options.query_timeout)
        stack.callback(jobs.stop)
        routes = _routes(
            database, catalog, jobs, Queries(database, catalog, results), options.buckets
        )
        rest = RESTServer(routes, options.host, options.http_port)
        write.start()
        rest.start()
        stack.callback(rest.stop)
        stack.callback(jobs.stop)  # first: a connection waits for its job
        self.http, self.grpc = rest.address, write.address

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Answer what is being answered, and close the data."""
        self._stack.close()


def _routes(
    database: Database, catalog: Catalog, jobs: Jobs, queries: Queries, buckets: Path | None
) -> Routes:
    with database.read() as cursor:
        insert_all = InsertAll(database, catalog, InsertIds(cursor))
    results = ResultsAPI(database, catalog, jobs)
    loads = Loads(database, catalog, Buckets(buckets))
    copies = Copies(database, catalog)
    jobs_api = JobsAPI(catalog.project, jobs, queries, results, loads, copies, Repeats())
    uploads = UploadsAPI(jobs_api, loads)
    tables = TablesAPI(database, catalog, insert_all, queries)
    datasets = DatasetsAPI(database, catalog)
    return api_routes(catalog.project, datasets, tables, jobs_api, results, uploads)
