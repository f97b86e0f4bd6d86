"""Reading a number of variables, named by the argument, into a record."""

import asyncio
import sys
from typing import Any

import attrs

from benchmarks.blocks import answer_blocks
from msp_core import env, load


def make_config(many: int) -> type[Any]:
    """Return a class of that many fields, each a number."""
    # As the compiler does with names in source: without it each call would compare their letters.
    names = [sys.intern(f"field_{n}") for n in range(many)]
    body: dict[str, Any] = {name: env(name.upper()) for name in names}
    body["__annotations__"] = dict.fromkeys(names, int)
    return attrs.frozen(kw_only=True)(type("Config", (), body))


async def main(many: int) -> None:
    """Answer blocks."""
    config = make_config(many)
    environ = {f"FIELD_{n}": str(n) for n in range(many)}

    async def calls(number: int) -> None:
        for _ in range(number):
            load(config, environ)

    await answer_blocks(calls)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
