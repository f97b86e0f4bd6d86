"""The standard library's log with python-json-logger, to standard error."""

import asyncio
import logging

from pythonjsonlogger.json import JsonFormatter

from benchmarks.blocks import answer_blocks
from benchmarks.services.log_calls import log_calls

FIELDS = ("asctime", "levelname", "name", "message", "pathname", "lineno", "funcName")

if __name__ == "__main__":
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(list(FIELDS), static_fields={"service": "bench"}))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    asyncio.run(answer_blocks(log_calls))
