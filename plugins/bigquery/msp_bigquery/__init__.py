"""BigQuery for the Managed Services Platform runtime.

A service asks its contract, `contract[BigQuery]`, and gets Google's client, `client()`, and
writers for the tables of its dataset, `table_writer("visits")`. Importing this package does not
import Google's libraries.
"""

from msp_bigquery._bigquery import BigQuery
from msp_bigquery._config import BigQueryConfig
from msp_bigquery._plugin import msp_integration
from msp_bigquery._refused_row import DeadLetter, DeadLetters, RefusedRow
from msp_bigquery._rows.json import JSON
from msp_bigquery._rows.row import Row, SavesRow
from msp_bigquery._writers.buffered_writer import BufferedWriter
from msp_bigquery._writers.table_writer import TableWriter
from msp_bigquery._writers.tally import Counts
from msp_bigquery.errors import (
    BigQueryError,
    BufferFullError,
    RowsRefusedError,
    RowValueError,
    WriteError,
    WriterClosedError,
    WriteTimeoutError,
)

__all__ = [
    "JSON",
    "BigQuery",
    "BigQueryConfig",
    "BigQueryError",
    "BufferFullError",
    "BufferedWriter",
    "Counts",
    "DeadLetter",
    "DeadLetters",
    "RefusedRow",
    "Row",
    "RowValueError",
    "RowsRefusedError",
    "SavesRow",
    "TableWriter",
    "WriteError",
    "WriteTimeoutError",
    "WriterClosedError",
    "msp_integration",
]
