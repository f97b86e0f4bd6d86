"""Parameters of a query, as SQL that stands for their values."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
from sqlglot import exp

from msp_bigquery_emulator._errors import invalid
from msp_bigquery_emulator._rules.types import field_type
from msp_bigquery_emulator._store.fields import Field, parse_fields
from msp_bigquery_emulator._store.storage import from_json, literal, store_sql
from msp_bigquery_emulator._store.values import ValueRefusedError, value_decoder

POSITIONAL: Final = "msp_positional_"  # followed by the number, from 0


@attrs.frozen
class Parameter:
    """A parameter's value.

    Attributes:
        sql: of the value, for DuckDB.
        type: as BigQuery's.
    """

    sql: str
    type: exp.DataType


def parameter_sql(parameters: Sequence[Mapping[str, Any]]) -> dict[str, Parameter]:
    """Return each parameter by its name in lower case.

    Args:
        parameters: as REST's `queryParameters`.

    Raises:
        BigQueryError: a type is unknown, or a value is not of its type.
    """
    return {
        (parameter.get("name") or f"{POSITIONAL}{index}").lower(): _parameter(parameter)
        for index, parameter in enumerate(parameters)
    }


def _parameter(parameter: Mapping[str, Any]) -> Parameter:
    name = parameter.get("name") or "parameter"
    (field,) = parse_fields([_field("v", parameter.get("parameterType") or {})])
    try:
        value = value_decoder(field)(_value(field, parameter.get("parameterValue") or {}))
    except ValueRefusedError as refused:
        raise invalid(f"Invalid value of query parameter {name}: {refused.reason}", name) from None
    document = literal(json.dumps({"v": value}))
    sql = f"({store_sql(field, f'({from_json(document, (field,))}).v')})"
    return Parameter(sql, field_type(field))


def _field(name: str, kind: Mapping[str, Any]) -> dict[str, Any]:
    """Return the field resource for a parameter's type."""
    if kind.get("type") == "ARRAY":
        return _field(name, kind.get("arrayType") or {}) | {"mode": "REPEATED"}
    members = [
        _field(member.get("name") or f"_field_{number}", member.get("type") or {})
        for number, member in enumerate(kind.get("structTypes") or (), 1)
    ]
    return {"name": name, "type": kind.get("type"), "fields": members}


def _value(field: Field, value: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """Return a parameter's value in the form that rows have."""
    if field.repeated:
        return [_value(field.element, element) for element in value.get("arrayValues") or ()]
    if field.type == "RECORD":
        members = value.get("structValues")
        if members is None:
            return None
        return {
            member.name: _value(member, members.get(member.name) or {}) for member in field.fields
        }
    return value.get("value")
