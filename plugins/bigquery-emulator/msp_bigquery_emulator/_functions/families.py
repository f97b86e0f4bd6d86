"""Families: the functions of GoogleSQL that DuckDB lacks, made when a query first calls them."""

from __future__ import annotations

import re
import threading
from functools import cache
from importlib.resources import files
from typing import Final

import attrs

from msp_bigquery_emulator._functions import __name__ as package
from msp_bigquery_emulator._store.database import Cursor

# Each family is a database in memory: nothing of it is in the user's file, and a transaction that
# has not called it before sees it, whenever it was made.
PREFIX: Final = "googlesql_"
SAFE: Final = "googlesql_safe_"  # the same functions, for behind SAFE.: NULL in place of errors
_CALLED: Final = re.compile(rf"\b(?:{SAFE}|{PREFIX})[a-z]+\b")


@attrs.frozen
class Families:
    """The families that there are in one database."""

    _made: set[str] = attrs.field(factory=set, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def make_for(self, sql: str, cursor: Cursor) -> None:
        """Make what SQL calls and is not there.

        Args:
            sql: for DuckDB.
            cursor: of the database; what is made is outside of its transaction.
        """
        called = set(_CALLED.findall(sql))
        if called <= self._made:
            return
        with self._lock, cursor.cursor() as own:
            for name in sorted(called):
                self._make(name, own)

    def _make(self, name: str, cursor: Cursor) -> None:
        if name in self._made or not (text := _text(name)):
            return
        for needed in sorted(set(_CALLED.findall(text)) - {name}):
            self._make(needed, cursor)
        cursor.execute(f"ATTACH ':memory:' AS {name}; BEGIN; {text}; COMMIT")
        self._made.add(name)


@cache
def _text(name: str) -> str:
    """Return the SQL of a family; empty when there is none, as the words of a text may look so."""
    safe = name.startswith(SAFE)
    file = files(package) / f"{name.removeprefix(SAFE).removeprefix(PREFIX)}.sql"
    if not file.is_file():
        return ""
    text = file.read_text("utf-8")
    return text.replace(PREFIX, SAFE).replace("error(message)", "true") if safe else text
