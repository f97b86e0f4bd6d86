"""Control: what stops the statements of one job, from any thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import duckdb

from msp_bigquery_emulator._errors import BigQueryError
from msp_bigquery_emulator._store.database import Cursor

_AGAIN: Final = 0.05  # seconds between two interrupts


def cancellation(why: str) -> BigQueryError:
    """Return the error of a job that was stopped, in BigQuery's words."""
    return BigQueryError(499, "stopped", f"Job execution was cancelled: {why}")


class Control:
    """Stops one job: once, for one reason; what it did is rolled back."""

    def __init__(self) -> None:
        self._cursor: Cursor | None = None
        self._error: BaseException | None = None
        self._idle = threading.Event()
        self._idle.set()
        self._lock = threading.Lock()

    @contextmanager
    def watch(self, cursor: Cursor) -> Iterator[None]:
        """Let a cursor be interrupted until the end of the block.

        Raises:
            BaseException: what `stop` was given.
        """
        with self._lock:
            self.check()
            self._cursor = cursor
            self._idle.clear()
        try:
            yield
        except duckdb.InterruptException:
            self.check()
            raise
        finally:
            with self._lock:
                self._cursor = None
                self._idle.set()

    def check(self) -> None:
        """Raise what `stop` was given, if it was called."""
        if self._error is not None:
            raise self._error

    @property
    def stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._error is not None

    def stop(self, error: BaseException) -> None:
        """Make the job fail with an error; it goes on to do so when this returns."""
        with self._lock:
            if self._error is not None:
                return
            self._error = error
        threading.Thread(target=self._interrupt).start()

    def _interrupt(self) -> None:
        # Again and again: between two statements DuckDB has nothing to interrupt, and forgets it.
        running = True
        while running:
            with self._lock:
                running = self._cursor is not None
                if self._cursor is not None:
                    self._cursor.interrupt()
            self._idle.wait(_AGAIN)
