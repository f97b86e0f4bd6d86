"""InsertIds: which rows came in already, so that a client that tries again adds none twice."""

from __future__ import annotations

import json
import time
from typing import Final

from msp_bigquery_emulator._store.database import CATALOG, Cursor

_WINDOW: Final = 600.0  # seconds; BigQuery promises one minute


class InsertIds:
    """The insert ids of the last minutes, in memory and in the database.

    They are written in the transaction of their rows: after a crash both are there, or neither.
    All methods but the first are for the one writer.
    """

    def __init__(self, cursor: Cursor) -> None:
        self._older: set[tuple[str, str]] = set()
        self._newer: set[tuple[str, str]] = set(
            cursor.execute(f"SELECT destination, insert_id FROM {CATALOG}.insert_ids").fetchall()
        )
        self._since = time.monotonic()

    def is_known(self, destination: str, insert_id: str) -> bool:
        """Return whether a row with this id came in lately."""
        key = (destination, insert_id)
        return key in self._newer or key in self._older

    def remember(self, cursor: Cursor, destination: str, ids: set[str]) -> None:
        """Note ids, in the transaction that inserts their rows."""
        if not ids:
            return
        self._forget_old(cursor)
        cursor.execute(
            f"INSERT INTO {CATALOG}.insert_ids (destination, insert_id) "
            "SELECT ?, unnest(from_json(?, '[\"VARCHAR\"]'))",
            [destination, json.dumps(list(ids))],
        )
        self._newer.update((destination, insert_id) for insert_id in ids)

    def forget(self, destination: str, ids: set[str]) -> None:
        """Take back ids whose transaction failed."""
        self._newer.difference_update((destination, insert_id) for insert_id in ids)

    def _forget_old(self, cursor: Cursor) -> None:
        if time.monotonic() - self._since > _WINDOW:
            self._older, self._newer = self._newer, set()
            self._since = time.monotonic()
            cursor.execute(
                f"DELETE FROM {CATALOG}.insert_ids "
                f"WHERE came < now()::TIMESTAMP - to_seconds({2 * _WINDOW})"
            )
