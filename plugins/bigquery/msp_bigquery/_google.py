"""Google: makes and keeps Google's clients, with one set of credentials."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

from msp_bigquery._config import BigQueryConfig
from msp_bigquery._refused_jobs import RefusedJobs
from msp_bigquery.errors import WriterClosedError
from msp_core.authoring import PerProcess
from msp_core.errors import ConfigError, Problem, UsageError

if TYPE_CHECKING:  # imported where the clients are made
    from google.auth.credentials import Credentials
    from google.cloud import bigquery
    from google.cloud.bigquery_storage_v1 import BigQueryWriteClient

# As `retry=`: turns the ten minutes of retries in Google's libraries off.
NO_RETRY: Any = None

_CONNECTIONS = 64
_SCOPE = "https://www.googleapis.com/auth/bigquery"


class Google:
    """Google's clients for one project and dataset; may be used from any thread.

    Args:
        config: which ones, and whether they are an emulator's.
    """

    def __init__(self, config: BigQueryConfig) -> None:
        self._config = config
        self._credentials = PerProcess(self._find_credentials, closed=closed_error)
        self._client = PerProcess(self._make_client, closed=closed_error)
        self._write_client = PerProcess(self._make_write_client, closed=closed_error)
        self._grpc_process: int | None = None  # the one that made a client for gRPC

    @property
    def is_emulator(self) -> bool:
        """Whether the clients never leave this machine."""
        return self._config.emulator_host is not None

    def table(self, name: str) -> str:
        """Return the full name of a table of the dataset, parted by dots."""
        return f"{self._config.project_id}.{self._config.dataset_id}.{name}"

    def table_path(self, name: str) -> str:
        """Return the name of a table of the dataset as a resource."""
        project, dataset = self._config.project_id, self._config.dataset_id
        return f"projects/{project}/datasets/{dataset}/tables/{name}"

    def client(self) -> bigquery.Client:
        """Return the client for all but the Storage Write API."""
        return self._client.get()

    def write_client(self) -> BigQueryWriteClient:
        """Return the client for the Storage Write API."""
        return self._write_client.get()

    def require_grpc(self) -> None:
        """Raise when the Storage Write API cannot be used.

        Raises:
            ConfigError: `BIGQUERY_EMULATOR_GRPC_HOST` is not set: rows would go to Google while all
                else is an emulator's.
            UsageError: this is the child of a fork, and its parent has used it.
        """
        if self.is_emulator and self._config.emulator_grpc_host is None:
            problem = Problem(
                variable="BIGQUERY_EMULATOR_GRPC_HOST",
                owner="plugin 'bigquery'",
                wrong="is missing",
                expected="host:port",
                hint="BIGQUERY_EMULATOR_HOST is set, and a writer uses the Storage Write API",
            )
            raise ConfigError([problem])
        # gRPC ends a child that uses it after threads of its parent did.
        if self._grpc_process not in (None, os.getpid()):
            raise UsageError(
                "the Storage Write API was used before the fork: "
                "fork before the first row, or use streaming inserts in the child"
            )

    def close(self) -> None:
        """Close the clients of this process, for good."""
        for client in self._client.close():
            client.close()  # type: ignore[no-untyped-call]  # of Google
        for write_client in self._write_client.close():
            write_client.transport.close()  # type: ignore[no-untyped-call]  # same

    def _find_credentials(self) -> Credentials:
        import google.auth  # noqa: PLC0415 - vendor library: imported where it is needed
        from google.auth.credentials import AnonymousCredentials  # noqa: PLC0415 - same

        if self.is_emulator:
            return AnonymousCredentials()  # type: ignore[no-untyped-call]
        return google.auth.default(scopes=[_SCOPE])[0]

    def _make_client(self) -> bigquery.Client:
        from google.cloud import bigquery  # noqa: PLC0415 - vendor library: takes 0.4 s

        project, dataset = self._config.project_id, self._config.dataset_id
        host = self._config.emulator_host
        client = bigquery.Client(
            project=project,
            credentials=self._credentials.get(),
            client_options={"api_endpoint": host} if host else None,
            default_query_job_config=bigquery.QueryJobConfig(
                default_dataset=f"{project}.{dataset}"
            ),
        )
        _widen(client)
        client._http.hooks["response"].append(RefusedJobs())  # noqa: SLF001 - as below
        return client

    def _make_write_client(self) -> BigQueryWriteClient:
        from google.cloud import bigquery_storage_v1  # noqa: PLC0415 - same

        self._grpc_process = os.getpid()
        make: Any = bigquery_storage_v1.BigQueryWriteClient
        host = self._config.emulator_grpc_host
        if host is None:
            credentials = self._credentials.get()
            return cast("BigQueryWriteClient", make(credentials=credentials))
        import grpc  # noqa: PLC0415 - same

        transport = make.get_transport_class("grpc")(channel=grpc.insecure_channel(host))
        return cast("BigQueryWriteClient", make(transport=transport))


def closed_error() -> Exception:
    """Return what using BigQuery raises once the service has stopped."""
    return WriterClosedError("BigQuery was closed: the service has stopped")


def _widen(client: bigquery.Client) -> None:
    """Let the client keep as many connections as there may be threads that use it.

    By default it keeps ten, and urllib3 warns for each request beyond them.
    """
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - vendor library

    session = client._http  # noqa: SLF001 - what Google's maintainers tell people to use for it
    if not session.is_mtls:  # which has an adapter of its own
        adapter = HTTPAdapter(pool_maxsize=_CONNECTIONS)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
