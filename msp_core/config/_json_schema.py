"""The variables of a service as JSON Schema, for editors and for checks of manifests."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from msp_core.config._variables import Group, Variable

_TRUE = ("1", "t", "T", "TRUE", "true", "True")
_FALSE = ("0", "f", "F", "FALSE", "false", "False")

# What accepts every text that the type accepts, and little else.
_PATTERNS = {
    "boolean": f"^({'|'.join((*_TRUE, *_FALSE))})$",
    "integer": "^[+-]?[0-9]+$",
    "percentage": "^[+-]?[0-9]+$",
    "duration": ("^[+-]?(0|(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$"),
}


def json_schema(title: str, variables: Sequence[Variable]) -> dict[str, Any]:
    """Return a schema (draft 2020-12) of an object that maps names of variables to texts.

    Variables that nobody reads are allowed: a process has many. Groups and what `MSP=true` refuses
    are conditions under `allOf`.
    """
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": {variable.name: _property(variable) for variable in variables},
        "required": [variable.name for variable in variables if variable.required],
        "additionalProperties": {"type": "string"},
    }
    conditions = [*_group_conditions(variables), *_msp_conditions(variables)]
    return {**schema, "allOf": conditions} if conditions else schema


def _property(variable: Variable) -> dict[str, Any]:
    may_be_empty = variable.empty_is_unset and not variable.required
    found: dict[str, Any] = {"type": "string"} | ({} if may_be_empty else {"minLength": 1})
    if variable.help:
        found["description"] = variable.help
    if variable.default is not None and not variable.secret:
        found["default"] = variable.default
    if variable.choices:
        found["enum"] = [*variable.choices, *([""] if may_be_empty else [])]
    if variable.type in _PATTERNS:
        found["pattern"] = ("^$|" if may_be_empty else "") + _PATTERNS[variable.type]
    if variable.secret:
        found["writeOnly"] = True
    if variable.schema is not None:
        found |= {"contentMediaType": "application/json", "contentSchema": variable.schema}
    return found


def _group_conditions(variables: Sequence[Variable]) -> Iterator[dict[str, Any]]:
    emptiable = {variable.name for variable in variables if variable.empty_is_unset}
    alone = {variable.name for variable in variables if variable.alone_is_unset}
    for group in dict.fromkeys(variable.group for variable in variables):
        if group is not None and not _is_free(group):
            complete = _any_of(group.choices, emptiable)
            mentioned = _any_of([(name,) for name in _names(group) if name not in alone], emptiable)
            yield {"if": mentioned, "then": complete} if group.optional else complete


def _is_free(group: Group) -> bool:
    """Return whether the group asks for nothing: each of its variables may be set alone."""
    return group.optional and all(len(names) == 1 for names in group.choices)


def _names(group: Group) -> list[str]:
    return list(dict.fromkeys(name for names in group.choices for name in names))


def _any_of(choices: Iterable[Sequence[str]], emptiable: Collection[str] = ()) -> dict[str, Any]:
    """Return the condition that all variables of one of the choices are set."""
    return {"anyOf": [_all_set(names, emptiable) for names in choices]}


def _all_set(names: Sequence[str], emptiable: Collection[str]) -> dict[str, Any]:
    filled = {name: {"minLength": 1} for name in names if name in emptiable}
    return {"required": list(names), **({"properties": filled} if filled else {})}


def _msp_conditions(variables: Iterable[Variable]) -> Iterator[dict[str, Any]]:
    """Yield what a live platform refuses; a variable with a default may still repeat it."""
    found = [one for one in variables if one.forbidden_when_msp and one.default is None]
    if found:
        live = {"properties": {"MSP": {"enum": list(_TRUE)}}, "required": ["MSP"]}
        emptiable = {one.name for one in found if one.empty_is_unset}
        yield {"if": live, "then": {"not": _any_of([(one.name,) for one in found], emptiable)}}
