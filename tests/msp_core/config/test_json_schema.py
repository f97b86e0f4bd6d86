"""The variables of a service as JSON Schema."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from msp_core.config import Group, Variable
from msp_core.config._json_schema import json_schema

VECTORS = Path(__file__).parents[2] / "data" / "go-parsers.jsonl"


def variable(name: str, **rest: Any) -> Variable:
    """Return a variable of type text."""
    return Variable(name=name, **{"owner": "core", "type": "text", "required": False, **rest})


def schema(*variables: Variable) -> dict[str, Any]:
    """Return the schema of these variables."""
    return json_schema("test", variables)


def test_property() -> None:
    """A property carries help, default and choices."""
    found = schema(
        variable("MOOD", type="choice", choices=("a", "b"), default="a", help="how it feels")
    )

    assert found["properties"]["MOOD"] == {
        "type": "string",
        "minLength": 1,
        "description": "how it feels",
        "default": "a",
        "enum": ["a", "b"],
    }
    assert "allOf" not in found


def test_empty_counts_as_unset() -> None:
    """What may be set to nothing accepts that beside its choices or its pattern."""
    found = schema(
        variable("MOOD", type="choice", choices=("a", "b"), empty_is_unset=True),
        variable("COUNT", type="integer", empty_is_unset=True),
        variable("NEEDED", required=True, empty_is_unset=True),
    )["properties"]

    assert found["MOOD"] == {"type": "string", "enum": ["a", "b", ""]}
    assert [bool(re.search(found["COUNT"]["pattern"], it)) for it in ("", "7", "x")] == [1, 1, 0]
    assert "minLength" not in found["COUNT"]
    assert found["NEEDED"]["minLength"] == 1
    assert schema(variable("STRICT"))["properties"]["STRICT"]["minLength"] == 1


def test_empty_is_not_there() -> None:
    """A condition does not take a variable that is set to nothing for one that is set."""
    group = Group(choices=(("DSN",), ("HOST", "USER")), optional=True)
    host, live = schema(
        variable("HOST", group=group, empty_is_unset=True),
        variable("DEBUG", forbidden_when_msp=True, empty_is_unset=True),
    )["allOf"]
    filled = {"minLength": 1}

    assert host["if"]["anyOf"][1] == {"required": ["HOST"], "properties": {"HOST": filled}}
    assert host["then"]["anyOf"] == [
        {"required": ["DSN"]},
        {"required": ["HOST", "USER"], "properties": {"HOST": filled}},
    ]
    assert live["then"]["not"]["anyOf"] == [
        {"required": ["DEBUG"], "properties": {"DEBUG": filled}}
    ]


def test_secret() -> None:
    """A secret is write-only and has no default in the schema."""
    found = schema(variable("TOKEN", secret=True, required=True, default="***"))

    assert found["properties"]["TOKEN"] == {"type": "string", "minLength": 1, "writeOnly": True}
    assert found["required"] == ["TOKEN"]


def test_alternatives() -> None:
    """When any variable of an optional group is set, one choice has to be complete."""
    group = Group(choices=(("DSN",), ("HOST", "USER")), optional=True)
    [condition] = schema(*(variable(name, group=group) for name in ("DSN", "HOST", "USER")))[
        "allOf"
    ]

    assert condition["if"] == {"anyOf": [{"required": [it]} for it in ("DSN", "HOST", "USER")]}
    assert condition["then"] == {"anyOf": [{"required": ["DSN"]}, {"required": ["HOST", "USER"]}]}


def test_alone_counts_as_unset() -> None:
    """A variable that asks for nothing by itself makes no choice necessary."""
    group = Group(choices=(("DSN",), ("HOST", "USER")), optional=True)
    user = variable("USER", group=group, alone_is_unset=True)
    [condition] = schema(variable("DSN", group=group), variable("HOST", group=group), user)["allOf"]

    assert condition["if"] == {"anyOf": [{"required": ["DSN"]}, {"required": ["HOST"]}]}
    assert condition["then"]["anyOf"][1] == {"required": ["HOST", "USER"]}


def test_needed_alternatives() -> None:
    """Of a group that is not optional one choice has to be complete in any case."""
    group = Group(choices=(("DSN",), ("HOST", "USER")), optional=False)

    assert schema(variable("DSN", group=group))["allOf"] == [
        {"anyOf": [{"required": ["DSN"]}, {"required": ["HOST", "USER"]}]}
    ]


def test_group_of_one() -> None:
    """A group that asks for nothing beside the variable itself is no condition."""
    assert "allOf" not in schema(variable("URL", group=Group(choices=(("URL",),), optional=True)))


def test_live_platform() -> None:
    """What a live platform refuses is refused when MSP says so, defaults left alone."""
    [condition] = schema(
        variable("DSN", forbidden_when_msp=True),
        variable("DEBUG", forbidden_when_msp=True, default="false"),
    )["allOf"]

    assert "true" in condition["if"]["properties"]["MSP"]["enum"]
    assert condition["then"] == {"not": {"anyOf": [{"required": ["DSN"]}]}}


@pytest.mark.parametrize(
    ("kind", "type_name"), [("bool", "boolean"), ("int", "integer"), ("duration", "duration")]
)
def test_patterns(kind: str, type_name: str) -> None:
    """A pattern accepts every text that Go's parser accepts."""
    pattern = schema(variable("X", type=type_name))["properties"]["X"]["pattern"]
    vectors = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
    accepted = [it["in"] for it in vectors if it["kind"] == kind and it["ok"]]

    assert accepted
    assert [text for text in accepted if not re.search(pattern, text)] == []
