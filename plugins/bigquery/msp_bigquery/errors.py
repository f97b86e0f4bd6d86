"""What this plugin raises; no text holds what was in a row."""

from __future__ import annotations

from collections.abc import Sequence

from msp_bigquery._refused_row import RefusedRow
from msp_core.errors import MSPError

_SHOWN = 5


class BigQueryError(MSPError):
    """Root of what this plugin raises."""


class RowValueError(BigQueryError, TypeError):
    """A row, or a value of one, that BigQuery has no type for; nothing was sent."""


class WriterClosedError(BigQueryError):
    """The service has stopped; nothing is written any more."""


class RowsRefusedError(BigQueryError):
    """Rows that BigQuery refuses for good; all others of the call are durable.

    Attributes:
        table: its name.
        refused: the refused rows, in the order given; their `values` are for the program, not for
            a log.
    """

    def __init__(self, table: str, refused: Sequence[RefusedRow], total: int) -> None:
        self.table = table
        self.refused = tuple(refused)
        shown = "; ".join(f"row {row.number}: {', '.join(row.reasons)}" for row in refused[:_SHOWN])
        more = f"; and {len(refused) - _SHOWN} more" if len(refused) > _SHOWN else ""
        super().__init__(f"table {table!r}: {len(refused)} of {total} rows refused: {shown}{more}")


class WriteError(BigQueryError):
    """BigQuery could not be written to.

    Attributes:
        table: its name.
        durable: rows of the call that are known to be written; of the others it is not known.
    """

    def __init__(self, table: str, durable: int, total: int, why: str) -> None:
        self.table = table
        self.durable = durable
        super().__init__(f"table {table!r}: {durable} of {total} rows are known written: {why}")


class WriteTimeoutError(WriteError, TimeoutError):
    """BigQuery did not take the rows in time, retries included."""


class BufferFullError(BigQueryError, TimeoutError):
    """The buffer had no room in time.

    Attributes:
        accepted: rows of the call that the buffer did take.
    """

    def __init__(self, table: str, accepted: int, total: int, seconds: float) -> None:
        self.accepted = accepted
        super().__init__(
            f"table {table!r}: the buffer had no room for {total - accepted} of {total} rows "
            f"within {seconds:g} s"
        )
