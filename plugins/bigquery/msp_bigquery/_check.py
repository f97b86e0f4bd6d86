"""The health check: what the last writes told, which costs nothing."""

from __future__ import annotations

from msp_bigquery._bigquery import BigQuery


async def last_writes(bigquery: BigQuery) -> None:
    """Raise when a table did not take what was last written to it, within the last minute.

    Raises:
        BigQueryError: names table and trouble.
    """
    bigquery.check()
