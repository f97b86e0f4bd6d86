"""What is timed of a log: calls in bursts of ten, as requests make them, on the event loop."""

import asyncio
import logging

logger = logging.getLogger("bench")
BURST = 10


async def log_calls(number: int) -> None:
    """Log that many lines."""
    for _ in range(number // BURST):
        for _ in range(BURST):
            logger.info("visited", extra={"page": "/", "visits": 3, "user": "somebody"})
        await asyncio.sleep(0)
