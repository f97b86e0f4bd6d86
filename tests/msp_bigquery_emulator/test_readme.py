"""The README says what is supported, all of it, and nothing else."""

from __future__ import annotations

import re
from typing import Any

import grpc
import pytest

from msp_bigquery_emulator._rest.routes import api_routes
from msp_bigquery_emulator._store import fields as _fields
from msp_bigquery_emulator._write_api import grpc as _grpc
from tests.documentation import ROOT
from tests.msp_bigquery_emulator.conftest import Rows

README = (ROOT / "plugins" / "bigquery-emulator" / "README.md").read_text()


class Anything:
    """Stands for the parts of the API, of which only the paths matter here."""

    def __getattr__(self, name: str) -> Any:
        return name


def section(title: str) -> str:
    """Return the text below a heading."""
    return README.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_rest() -> None:
    """Each path that is served is in the table, and each in the table is served."""
    part: Any = Anything()
    served = set()
    for route in api_routes("p", part, part, part, part, part).routes:
        path = re.sub(r"\(\?P<(\w+)>\[\^/\]\+\)", r"{\1}", route.pattern.pattern)
        path = "/upload" if path.startswith("/upload") else path.partition("/projects/{project}")[2]
        served.add(f"{route.method} {path}")

    assert set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)`", section("REST"))) == served


def test_write_api() -> None:
    """Each method of gRPC is in the table, and each in the table is served."""

    class Call(grpc.HandlerCallDetails):
        def __init__(self, name: str) -> None:
            self.method = f"/google.cloud.bigquery.storage.v1.BigQueryWrite/{name}"
            self.invocation_metadata = ()

    writing: Any = Anything()
    handlers = _grpc._handlers(writing)
    listed = re.findall(r"^\| `(\w+)` \|", section("Storage Write API"), re.MULTILINE)

    assert len(listed) == 6
    assert all(handlers.service(Call(name)) is not None for name in listed)
    assert handlers.service(Call("Nope")) is None


def test_types() -> None:
    """Each type is in the table, and each in the table is one."""
    listed = re.findall(r"^\| `(\w+)` \|", section("Types"), re.MULTILINE)

    assert set(listed) == set(_fields._TYPES.values())


def test_sql(rows: Rows) -> None:
    """Each statement of the page runs."""
    block = re.search(r"```sql\n(.*?)```", section("SQL"), re.DOTALL)

    assert block is not None
    for statement in block[1].split(";\n"):
        rows(statement)


@pytest.mark.parametrize("option", re.findall(r"`(--[a-z-]+)`", section("Use")))
def test_options(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each option of the page is one of the command."""
    from msp_bigquery_emulator.__main__ import main  # noqa: PLC0415 - only this test needs it

    with pytest.raises(SystemExit):
        main(["--help"])

    assert option in capsys.readouterr().out
