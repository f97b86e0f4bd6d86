"""What JSON a variable may hold: its types, each with the words and the JSON Schema for it.

The schema is of draft 2020-12. A secret is `writeOnly` there, by which `_hiding` finds it.
Imported only when a config class has such a variable.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import attrs

from msp_core.config._go import INT64_MAX
from msp_core.config._kinds import (
    URL,
    Duration,
    Kind,
    Percent,
    element_of,
    members_of,
    read_hints,
    refuse_type,
)
from msp_core.config._variables import METADATA
from msp_core.errors import UsageError
from msp_core.secret import Secret

_TEXT = "a text in double quotes"
_NATIVE = (str, int, bool, type(None))

_SCALARS: dict[Any, Kind] = {
    str: Kind(name="text", noun="a text", form=_TEXT, schema={"type": "string"}),
    int: Kind(
        name="integer",
        noun="an integer",
        form="an integer of 64 bits without quotes, such as 8080",
        schema={"type": "integer", "minimum": -INT64_MAX - 1, "maximum": INT64_MAX},
    ),
    float: Kind(
        name="number",
        noun="a number",
        form="a number of 64 bits without quotes, such as 0.25",
        schema={"type": "number"},
    ),
    bool: Kind(
        name="boolean",
        noun="a boolean",
        form="true or false, without quotes",
        schema={"type": "boolean"},
    ),
    Secret: Kind(
        name="secret",
        noun="a secret",
        form=_TEXT,
        secret=True,
        schema={"type": "string", "writeOnly": True},
    ),
    Path: Kind(name="path", noun="a path", form=_TEXT, schema={"type": "string"}),
    Any: Kind(name="JSON", noun="JSON", form="any JSON", schema={}),
}

_NAMED: dict[Any, dict[str, Any]] = {
    Duration: {"type": "string"},
    Percent: {"type": "integer", "minimum": 0, "maximum": 100},
    URL: {"type": "string", "format": "uri"},
}


def json_kind(annotation: Any) -> Kind:  # noqa: ANN401 - annotations have no common type
    """Return what messages and help say about a variable that holds JSON.

    Raises:
        UsageError: no JSON is of that type.
    """
    return attrs.evolve(content_of(annotation), name="JSON")


def content_of(annotation: Any, within: tuple[type[Any], ...] = ()) -> Kind:  # noqa: ANN401 - as json_kind
    """Return what is said about a part of the JSON.

    Args:
        annotation: its type.
        within: classes that hold it, outermost first.

    Raises:
        UsageError: no JSON is of that type.
    """
    members, nullable = members_of(annotation)
    if not members or (len(members) > 1 and not all(map(_is_class, members))):
        raise refuse_type(annotation)
    kinds = [_one_of(member, within) for member in members]
    noun = kinds[0].noun if len(kinds) == 1 else "one of its forms"
    if nullable:
        kinds.append(Kind(name="null", noun="null", form="null", schema={"type": "null"}))
    return kinds[0] if len(kinds) == 1 else _any_of(noun, kinds)


def json_choices(annotation: Any) -> tuple[Any, ...] | None:  # noqa: ANN401 - as json_kind
    """Return what a Literal or an Enum accepts, as it stands in JSON; None for other types."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(member.value for member in annotation)
    return None


def _one_of(member: Any, within: tuple[type[Any], ...]) -> Kind:  # noqa: ANN401 - as json_kind
    accepted = json_choices(member)
    if accepted is not None:
        return _choice(member, accepted)
    if member in _NAMED:
        return _kind_of_named(member)
    if member in _SCALARS:
        return _SCALARS[member]
    element = element_of(member)
    if element is not None:
        return _array(content_of(element, within))
    if get_origin(member) is dict and get_args(member)[0] is str:
        return _mapping(content_of(get_args(member)[1], within))
    if not _is_class(member):
        raise refuse_type(member)
    return _object(member, within)


def _is_class(member: Any) -> bool:  # noqa: ANN401 - as json_kind
    return isinstance(member, type) and attrs.has(member)


def _choice(member: Any, accepted: tuple[Any, ...]) -> Kind:  # noqa: ANN401 - as json_kind
    if not accepted or not all(type(value) in _NATIVE for value in accepted):
        raise refuse_type(member)
    texts = tuple(json.dumps(value, ensure_ascii=False) for value in accepted)
    form = f"{', '.join(texts[:-1])} or {texts[-1]}" if len(texts) > 1 else texts[0]
    schema = {"enum": list(accepted)}
    return Kind(name="choice", noun="one of its choices", form=form, schema=schema)


def _kind_of_named(member: Any) -> Kind:  # noqa: ANN401 - as json_kind
    kind: Kind = get_args(member)[1]
    quotes = "without quotes" if member == Percent else "in double quotes"
    return attrs.evolve(kind, form=f"{kind.form}; {quotes}", schema=_NAMED[member])


def _array(element: Kind) -> Kind:
    return Kind(
        name="array",
        noun="a JSON array",
        form="a JSON array",
        secret=element.secret,
        schema={"type": "array", "items": element.schema},
    )


def _mapping(value: Kind) -> Kind:
    return Kind(
        name="object",
        noun="a JSON object",
        form="a JSON object",
        secret=value.secret,
        schema={"type": "object", "additionalProperties": value.schema},
    )


def _object(config: type[Any], within: tuple[type[Any], ...]) -> Kind:
    if config in within:
        raise UsageError(f"config class {config.__name__!r} embeds itself")
    hints = read_hints(config)
    kinds: dict[str, Kind] = {}
    required: list[str] = []
    for field in attrs.fields(config):
        if not field.init:
            continue
        if METADATA in field.metadata:
            raise UsageError(
                f"field {field.name!r} of class {config.__name__!r}, which a variable holds as "
                "JSON, is declared with env(): it cannot be read from a variable of its own"
            )
        name = field.alias or field.name
        kinds[name] = content_of(hints.get(field.name, Any), (*within, config))
        if field.default is attrs.NOTHING:
            required.append(name)
    return Kind(
        name="object",
        noun="a JSON object",
        form=_form(list(kinds), required),
        secret=any(kind.secret for kind in kinds.values()),
        schema={
            "type": "object",
            "properties": {name: kind.schema for name, kind in kinds.items()},
            "required": required,
            "additionalProperties": False,
        },
    )


def _form(names: Sequence[str], required: Sequence[str]) -> str:
    if not names:
        return "an empty JSON object"
    keys = (name if name in required else f"{name} (optional)" for name in names)
    return f"a JSON object with {', '.join(keys)}"


def _any_of(noun: str, kinds: Sequence[Kind]) -> Kind:
    return Kind(
        name="JSON",
        noun=noun,
        form=", or ".join(kind.form for kind in kinds),
        secret=any(kind.secret for kind in kinds),
        schema={"anyOf": [kind.schema for kind in kinds]},
    )
