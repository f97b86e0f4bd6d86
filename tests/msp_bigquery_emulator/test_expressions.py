"""Expressions: each has the value and type that Google's documentation gives it.

`expressions/` holds one file for a page of
https://cloud.google.com/bigquery/docs/reference/standard-sql/ — and a line for an expression:
`expression → TYPE value`, the value as JSON, or `expression → ! part of the error`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from msp_bigquery_emulator.emulator import Emulator, Options
from tests.msp_bigquery_emulator.conftest import PROJECT, connect

CASES = [
    pytest.param(*line.split(" → "), id=f"{page.stem}: {line.partition(' → ')[0]}")
    for page in sorted(Path(__file__).with_name("expressions").glob("*.txt"))
    for line in page.read_text("utf-8").splitlines()
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bigquery.Client]:
    """Give a client of one emulator for all expressions: they leave nothing behind."""
    options = Options(project=PROJECT, dataset="d", data=tmp_path_factory.mktemp("data"))
    with Emulator(options) as emulator, connect(emulator.http) as client:
        yield client


def show(client: bigquery.Client, expression: str) -> str:
    """Return the type and value of an expression, or its error."""
    try:
        rows = client.query_and_wait(f"SELECT {expression}")
    except (exceptions.BadRequest, exceptions.MethodNotImplemented) as refused:
        return f"! {refused.message}"
    ((value,),) = rows
    field = rows.schema[0]
    kind = field.field_type + ("[]" if field.mode == "REPEATED" else "")
    return f"{kind} {json.dumps(value, default=str, ensure_ascii=False)}"


@pytest.mark.parametrize(("expression", "expected"), CASES)
def test_expression(shared: bigquery.Client, expression: str, expected: str) -> None:
    """An expression has the documented value and type, or is refused as it should be."""
    found = show(shared, expression)

    assert found == expected or (expected[0] == "!" and expected[2:] in found)
