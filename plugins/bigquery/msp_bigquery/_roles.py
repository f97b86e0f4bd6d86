"""The roles and APIs of Google that writing to BigQuery, and using its client, needs."""

from __future__ import annotations

from typing import Final

from msp_core.integration import API, Role

WRITING: Final = Role(
    name="roles/bigquery.dataEditor",
    purpose="writing rows, reading tables and their schemas; granted on the dataset",
)
JOBS: Final = Role(
    name="roles/bigquery.jobUser",
    purpose="queries, load jobs and every other job of client()",
    when="the service runs jobs",
)
APIS: Final = (
    API(name="bigquery.googleapis.com", purpose="streaming inserts, and what client() asks"),
    API(
        name="bigquerystorage.googleapis.com",
        purpose="the Storage Write API",
        when="a writer has storage=True",
    ),
)
