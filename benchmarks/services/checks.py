"""One round of a number of health checks, named by the argument."""

import asyncio
import sys

from benchmarks.blocks import answer_blocks
from msp_core import Check, Health


async def ping() -> None:
    """Be healthy, but not at once."""
    await asyncio.sleep(0)


async def main(many: int) -> None:
    """Answer blocks."""
    health = Health(cache=0.0)
    health.started = True
    for number in range(many):
        health.add(Check(f"check-{number}", ping))

    async def calls(number: int) -> None:
        for _ in range(number):
            await health.readiness()

    await answer_blocks(calls)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
