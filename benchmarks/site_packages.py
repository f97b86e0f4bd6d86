"""A folder of made-up distributions, which a measured process finds beside the real ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

PLUGIN = '''
from contextlib import asynccontextmanager

import attrs

from msp_core import Integration, hookimpl

NAME = __name__.removeprefix("grown_")


@attrs.frozen
class Config:
    """Nothing to read."""


class Client:
    """Nothing to ask."""


@asynccontextmanager
async def opening(config, contract):
    yield Client()


@hookimpl
def msp_integration():
    return Integration(name=NAME, config=Config, client=Client, open=opening)
'''


def add_distribution(
    folder: Path, name: str, requires: Sequence[str] = (), entry_points: str = ""
) -> None:
    """Write the metadata of one distribution."""
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    lines = ["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    (info / "METADATA").write_text("\n".join([*lines, ""]))
    (info / "RECORD").write_text("")
    (info / "entry_points.txt").write_text(entry_points)


def many_distributions(folder: Path, many: int) -> None:
    """Write a service that declares the five plugins, and others beside it."""
    extras = "cloudsql,redis,bigquery,sentry,opentelemetry"
    add_distribution(folder, "declared", [f"msp-core[{extras}]"])
    for number in range(many):
        add_distribution(folder, f"other-{number}")


def many_plugins(folder: Path, many: int) -> None:
    """Write plugins, and a service that declares all of them."""
    names = [f"plugin{number}" for number in range(many)]
    add_distribution(folder, "declared", [f"msp-{name}" for name in names])
    for name in names:
        entry_points = f"[msp.plugins]\n{name} = grown_{name}\n"
        add_distribution(folder, f"msp-{name}", ["msp-core>=0.1"], entry_points)
        (folder / f"grown_{name}.py").write_text(PLUGIN)
