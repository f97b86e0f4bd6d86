"""Keeps the service's account out of what psycopg logs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = ("psycopg", "psycopg.pool")


@contextmanager
def account_hidden(account: str) -> Iterator[None]:
    """Put `***` for the account in every line that psycopg logs meanwhile.

    At level debug it logs what the server says about a refused login, and connections.
    """

    def hide(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if account in text:
            record.msg, record.args = text.replace(account, "***"), ()
        return True

    for name in _LOGGERS:
        logging.getLogger(name).addFilter(hide)
    try:
        yield
    finally:
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(hide)
