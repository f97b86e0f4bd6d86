"""Tally: counts what became of rows, and logs those that were lost to the table."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

import attrs

from msp_bigquery._refused_row import DeadLetter, DeadLetters, RefusedRow

logger = logging.getLogger("msp.bigquery")

_LINES_APART = 30.0  # seconds


@attrs.frozen(kw_only=True)
class Counts:
    """What became of the rows given to a buffer, so far.

    Attributes:
        accepted: rows the buffer took.
        written: rows known to be durable.
        refused: rows that went to the dead-letter function, or to the log where there is none;
            those for which the buffer had no room are not among `accepted`.
        pending: rows that wait or are being sent.
    """

    accepted: int
    written: int
    refused: int
    pending: int


class Tally:
    """Where refused rows end; may be shared by threads.

    Args:
        table: named in the log.
        dead_letter: gets every refused row; None for a line in the log.
    """

    def __init__(self, table: str, dead_letter: DeadLetter | None) -> None:
        self._table = table
        self._dead_letter = dead_letter
        self._lock = threading.Lock()
        self._unlogged = 0
        self._logged_at: float | None = None
        self.written = 0
        self.refused = 0

    def add_written(self, rows: int) -> None:
        """Count rows that are durable."""
        with self._lock:
            self.written += rows

    def bury(self, refused: Sequence[RefusedRow]) -> None:
        """Count refused rows and hand them to the dead-letter function; never raises."""
        with self._lock:
            self.refused += len(refused)
        if self._dead_letter is None:
            self._log(refused)
            return
        try:
            self._dead_letter(DeadLetters(table=self._table, rows=tuple(refused)))
        except Exception:
            logger.exception(
                "table %r: the dead-letter function failed, %d rows are lost",
                self._table,
                len(refused),
            )

    def flush(self) -> None:
        """Log what was counted since the last line."""
        self._log(())

    def _log(self, refused: Sequence[RefusedRow]) -> None:
        # A table whose schema does not fit refuses every row: one line a batch would be a flood.
        with self._lock:
            self._unlogged += len(refused)
            now = time.monotonic()
            soon = self._logged_at is not None and now - self._logged_at < _LINES_APART
            if not self._unlogged or (refused and soon):
                return
            lost, self._unlogged, self._logged_at = self._unlogged, 0, now
        why = f", such as: {', '.join(refused[0].reasons)}" if refused else ""
        logger.error("table %r: %d rows were refused and are lost%s", self._table, lost, why)
