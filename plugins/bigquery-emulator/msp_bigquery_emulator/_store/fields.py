"""Field: one column of a table or result, as BigQuery describes it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from msp_bigquery_emulator._errors import invalid

_TYPES: Final = {
    "STRING": "STRING",
    "BYTES": "BYTES",
    "INTEGER": "INTEGER",
    "INT64": "INTEGER",
    "FLOAT": "FLOAT",
    "FLOAT64": "FLOAT",
    "NUMERIC": "NUMERIC",
    "DECIMAL": "NUMERIC",
    "BIGNUMERIC": "BIGNUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
    "BOOLEAN": "BOOLEAN",
    "BOOL": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMP",
    "DATE": "DATE",
    "TIME": "TIME",
    "DATETIME": "DATETIME",
    "JSON": "JSON",
    "RECORD": "RECORD",
    "STRUCT": "RECORD",
}
_MODES: Final = ("NULLABLE", "REQUIRED", "REPEATED")
_NAME: Final = re.compile(r"[^\W\d]\w{0,299}")
_MOST_DIGITS: Final = {"NUMERIC": (29, 9), "BIGNUMERIC": (38, 38)}  # before and behind the point
_DEEPEST: Final = 15  # levels of records, BigQuery's limit


@attrs.frozen
class Field:
    """One column, or one member of a record.

    Attributes:
        name: as declared; names that differ only in case are the same.
        type: as BigQuery's REST API calls it, such as `INTEGER` and `RECORD`.
        mode: `NULLABLE`, `REQUIRED` or `REPEATED`.
        fields: members, of a record only.
        length: of a STRING in characters, of BYTES in bytes, at most; None for any.
        digits: precision and scale of a decimal; None for those of its type.
        default: GoogleSQL of the value that is stored where a row has none; empty for NULL.
    """

    name: str
    type: str
    mode: str = "NULLABLE"
    fields: tuple[Field, ...] = ()
    length: int | None = None
    digits: tuple[int, int] | None = None
    default: str = ""

    @property
    def repeated(self) -> bool:
        """Whether the value is a list."""
        return self.mode == "REPEATED"

    @property
    def element(self) -> Field:
        """The field of one element of the list."""
        return attrs.evolve(self, mode="NULLABLE", default="")

    def resource(self) -> dict[str, Any]:
        """Return the field as the REST API writes it."""
        resource: dict[str, Any] = {"name": self.name, "type": self.type, "mode": self.mode}
        if self.length is not None:
            resource["maxLength"] = str(self.length)
        if self.digits is not None:
            resource |= {"precision": str(self.digits[0]), "scale": str(self.digits[1])}
        if self.default:
            resource["defaultValueExpression"] = self.default
        if self.fields:
            resource["fields"] = [field.resource() for field in self.fields]
        return resource


def parse_fields(resources: object, *, depth: int = 0) -> tuple[Field, ...]:
    """Return the fields that a list of resources describes.

    Raises:
        BigQueryError: a field without name or type, an unknown type or mode, or a name used twice.
    """
    if not isinstance(resources, Sequence) or isinstance(resources, str):
        raise invalid("schema is no list of fields: expected a list of {name, type, mode}")
    if depth > _DEEPEST:
        raise invalid(f"schema is nested too deeply: expected {_DEEPEST} levels at most")
    fields = tuple(_parse_field(resource, depth) for resource in resources)
    seen: set[str] = set()
    for field in fields:
        if field.name.lower() in seen:
            raise invalid(f"Duplicate field name: {field.name}", field.name)
        seen.add(field.name.lower())
    return fields


def _parse_field(resource: object, depth: int) -> Field:
    if not isinstance(resource, Mapping):
        raise invalid("schema has an entry that is no field: expected {name, type, mode}")
    name = resource.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise invalid(f"Invalid field name {name!r}: expected a letter or _, then also digits")
    given = str(resource.get("type", "")).upper()
    kind = _TYPES.get(given)
    mode = str(resource.get("mode") or "NULLABLE").upper()
    if kind is None:
        raise invalid(f"Invalid type {given!r} of field {name}: expected one of {_types()}", name)
    if mode not in _MODES:
        raise invalid(f"Invalid mode {mode!r} of field {name}: expected one of {_MODES}", name)
    members = parse_fields(resource.get("fields") or (), depth=depth + 1)
    if (kind == "RECORD") != bool(members):
        raise invalid(f"Field {name} is of type {kind}: records, and only they, have fields", name)
    default = str(resource.get("defaultValueExpression") or "")
    if default and depth:
        raise invalid(f"Field {name} is part of a record: only a whole column has a default", name)
    return Field(
        name, kind, mode, members, _length(resource, kind), _digits(resource, kind), default
    )


def _length(resource: Mapping[str, Any], kind: str) -> int | None:
    length = _number(resource, "maxLength")
    if length is not None and (kind not in ("STRING", "BYTES") or length < 1):
        raise invalid(f"Invalid maxLength of field {resource['name']}: only of STRING and BYTES")
    return length


def _digits(resource: Mapping[str, Any], kind: str) -> tuple[int, int] | None:
    precision, scale = _number(resource, "precision"), _number(resource, "scale") or 0
    if precision is None and not scale:
        return None
    before, behind = _MOST_DIGITS.get(kind, (0, 0))
    if precision is None or not max(1, scale) <= precision <= before + scale or scale > behind:
        raise invalid(
            f"Invalid precision and scale of field {resource['name']}: expected a decimal with at "
            f"most {before} digits before its point and {behind} behind it"
        )
    return precision, scale


def _number(resource: Mapping[str, Any], name: str) -> int | None:
    given = resource.get(name)
    if given is None or str(given).isdecimal():
        return None if given is None else int(given)
    raise invalid(f"Invalid {name} of field {resource['name']}: expected a number")


def _types() -> str:
    return ", ".join(sorted(set(_TYPES.values())))


def normalize(resources: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the resources of a valid schema with REST's type names and explicit modes."""
    return [_normalize(resource) for resource in resources]


def _normalize(resource: Mapping[str, Any]) -> dict[str, Any]:
    normal = dict(resource)
    normal["type"] = _TYPES[str(resource["type"]).upper()]
    normal["mode"] = str(resource.get("mode") or "NULLABLE").upper()
    if resource.get("fields"):
        normal["fields"] = normalize(resource["fields"])
    return normal
