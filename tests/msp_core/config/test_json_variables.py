"""Variables that hold JSON: what is accepted, what is refused where, and what is never shown."""

from __future__ import annotations

import enum
import json
import traceback
from pathlib import Path
from typing import Annotated, Any, Literal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msp_core.config import URL, Duration, Percent, Secret, describe, env, load
from msp_core.config._json_schema import json_schema
from msp_core.config._loading import Loading
from msp_core.errors import ConfigError, InvalidValue, Problem, UsageError


class Region(enum.StrEnum):
    EU = "eu"
    US = "us"


class Size(enum.Enum):
    SMALL = 1
    LARGE = 2


@attrs.frozen(kw_only=True)
class Tier:
    name: str
    rate: float
    burst: int = 10
    token: Secret | None = None


@attrs.frozen(kw_only=True)
class Fixed:
    kind: Literal["fixed"]
    amount: int


@attrs.frozen(kw_only=True)
class Stepped:
    kind: Literal["stepped"]
    steps: list[int]


@attrs.frozen(kw_only=True)
class Limits:
    tiers: list[Tier]
    tenants: dict[str, Tier] = attrs.field(factory=dict)
    price: Fixed | Stepped | None = None
    enabled: bool = True


@attrs.frozen(kw_only=True)
class Config:
    limits: Limits = env("LIMITS", help="of each tenant")


def problems(config: type[object], **environ: str) -> tuple[Problem, ...]:
    """Return what is wrong with variables."""
    with pytest.raises(ConfigError) as refused:
        load(config, environ)

    return refused.value.problems


def of(annotation: Any, **declared: Any) -> type[Any]:
    """Return a config class that reads a value from the variable X."""
    body = {"__annotations__": {"x": annotation}, "x": env("X", **declared)}
    return attrs.frozen(type("Config", (), body))


def read(annotation: Any, value: object) -> object:
    """Return what a variable of that type holds that is set to a JSON value."""
    return load(of(annotation), {"X": json.dumps(value)}).x


def test_json_becomes_classes() -> None:
    """A variable holds a whole structure, as deep as its class says."""
    limits = {
        "tiers": [{"name": "free", "rate": 1, "token": "s3cret"}],
        "tenants": {"acme": {"name": "paid", "rate": 2.5, "burst": 20}},
        "price": {"kind": "stepped", "steps": [1, 2]},
    }

    config = load(Config, {"LIMITS": json.dumps(limits)})

    assert config.limits == Limits(
        tiers=[Tier(name="free", rate=1.0, token=Secret("s3cret"))],
        tenants={"acme": Tier(name="paid", rate=2.5, burst=20)},
        price=Stepped(kind="stepped", steps=[1, 2]),
    )
    assert type(config.limits.tiers[0].rate) is float


def test_three_mistakes_are_one_report_with_three_paths() -> None:
    """Who corrects a variable sees all of it at once, and none of its values."""
    limits = {
        "tiers": [{"name": "first", "rate": 1}, {"name": 77123, "rate": 1}],
        "tenants": {"acme": {"name": "second", "rate": "77124"}},
        "enabled": "yes-77125",
    }

    found = problems(Config, LIMITS=json.dumps(limits))

    remark = "(needed by service: of each tenant)"
    number = "a number of 64 bits without quotes, such as 0.25"
    assert [str(problem) for problem in found] == [
        f"LIMITS: $.tiers[1].name is not a text: expected a text in double quotes {remark}",
        f"LIMITS: $.tenants{{0}}.rate is not a number: expected {number} {remark}",
        f"LIMITS: $.enabled is not a boolean: expected true or false, without quotes {remark}",
    ]
    assert [problem.path for problem in found] == [
        "$.tiers[1].name",
        "$.tenants{0}.rate",
        "$.enabled",
    ]
    assert {problem.variable for problem in found} == {"LIMITS"}
    assert not any(word in repr(found) for word in ("7712", "first", "second", "acme"))


def test_mistakes_are_reported_beside_those_of_other_variables() -> None:
    """JSON or not, there is one report."""

    @attrs.frozen
    class Both:
        port: int = env("PORT")
        limits: Limits = env("LIMITS")

    found = problems(Both, LIMITS='{"tiers": 3, "enabled": 3}')

    assert [problem.clause for problem in found] == [
        "PORT is missing",
        "LIMITS: $.tiers is not a JSON array",
        "LIMITS: $.enabled is not a boolean",
    ]


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ('{"tiers": [}', "LIMITS is not JSON from line 1, column 12 on"),
        ('{"tiers":\n [1 2]}', "LIMITS is not JSON from line 2, column 5 on"),
        ("tiers", "LIMITS is not JSON from line 1, column 1 on"),
        ('{"tiers": NaN}', "LIMITS holds a number that is not finite, which JSON does not know"),
        ('{"tiers": [], "tiers": []}', "LIMITS names a key of one object twice"),
        ("[" * 200_000, "LIMITS is nested too deeply"),
        ("1" * 5_000, "LIMITS holds a number of too many digits"),
    ],
)
def test_text_that_is_no_json_is_one_problem(text: str, clause: str) -> None:
    """It says where, as an editor counts; there are no paths in what cannot be read."""
    (problem,) = problems(Config, LIMITS=text)

    assert problem.clause == clause
    assert problem.expected == (
        "a JSON object with tiers, tenants (optional), price (optional), enabled (optional)"
    )


@pytest.mark.parametrize(
    ("value", "clause", "expected"),
    [
        ([], "X is not a JSON object", "a JSON object with name, rate, burst (optional), "),
        ({"rate": 1}, "X: $.name is not given", "a text in double quotes"),
        (
            {"name": "a", "rate": 1, "brust": 2},
            "X has an unknown key",
            "no other keys than name, rate, burst, token",
        ),
        (
            {"name": "a", "rate": 1, "b": 1, "c": 2},
            "X has 2 unknown keys",
            "no other keys than name, rate, burst, token",
        ),
    ],
)
def test_keys_are_those_of_the_class(value: object, clause: str, expected: str) -> None:
    """A key that is forgotten, or that nobody knows, is a problem; the latter is not shown."""
    (problem,) = problems(of(Tier), X=json.dumps(value))

    assert problem.clause == clause
    assert problem.expected.startswith(expected)
    assert "brust" not in str(problem)


def test_unknown_key_names_the_one_it_is_close_to() -> None:
    """A misspelt key shows the right one, which is no secret."""
    text = json.dumps({"name": "a", "rate": 1, "brust": 2, "tokn": "x", "zzzzzz": 1})

    (problem,) = problems(of(Tier), X=text)

    assert problem.hint == "did you mean burst, token?"
    (problem,) = problems(of(Tier), X=json.dumps({"name": "a", "rate": 1, "nam": 2}))
    assert not problem.hint


def test_class_without_keys() -> None:
    """Nothing may be in the object then."""

    @attrs.frozen
    class Nothing:
        pass

    (problem,) = problems(of(Nothing), X='{"a": 1}')

    assert problem.expected == "no keys"
    assert load(of(Nothing), {"X": "{}"}).x == Nothing()
    assert problems(of(Nothing), X="1")[0].expected == "an empty JSON object"


@pytest.mark.parametrize(
    ("annotation", "value", "wanted"),
    [
        (str, "", ""),
        (int, -(2**63), -(2**63)),
        (int, 2**63 - 1, 2**63 - 1),
        (float, 3, 3.0),
        (float, 0.25, 0.25),
        (bool, False, False),
        (Secret, "s", Secret("s")),
        (Path, "/srv", Path("/srv")),
        (Duration, "1m30s", 90.0),
        (Annotated[Duration, "of one"], "1s", 1.0),
        (Percent, 0, 0),
        (Percent, 100, 100),
        (URL, "https://a", "https://a"),
        (Region, "us", Region.US),
        (Size, 2, Size.LARGE),
        (Literal["a", 1, True], 1, 1),
        (Literal["a", 1, True], True, True),
        (int | None, None, None),
        (tuple[int, ...], [1, 2], (1, 2)),
        (list[int | None], [1, None], [1, None]),
        (Any, {"a": [1, None, 2.5]}, {"a": [1, None, 2.5]}),
        (Fixed | Stepped, {"kind": "fixed", "amount": 1}, Fixed(kind="fixed", amount=1)),
        (Fixed | None, None, None),
    ],
)
def test_value_that_fits(annotation: Any, value: object, wanted: object) -> None:
    """Each type takes what JSON has for it."""
    found = read(dict[str, annotation], {"key": value})

    assert found == {"key": wanted}
    assert type(found["key"]) is type(wanted)


@pytest.mark.parametrize(
    ("annotation", "value", "noun"),
    [
        (str, 3, "a text"),
        (str, None, "a text"),
        (int, "3", "an integer"),
        (int, 3.0, "an integer"),
        (int, True, "an integer"),
        (int, 2**63, "an integer"),
        (int, -(2**63) - 1, "an integer"),
        (float, "3", "a number"),
        (float, True, "a number"),
        (float, 10**400, "a number"),
        (bool, 1, "a boolean"),
        (bool, "true", "a boolean"),
        (Secret, 3, "a secret"),
        (Path, 3, "a path"),
        (Duration, 3, "a duration"),
        (Duration, "3", "a duration"),
        (Percent, 101, "a percentage"),
        (Percent, -1, "a percentage"),
        (Percent, "5", "a percentage"),
        (URL, "host", "a URL"),
        (URL, 3, "a URL"),
        (Region, "EU", "one of its choices"),
        (Size, True, "one of its choices"),
        (Size, 1.0, "one of its choices"),
        (Literal["a", 1], True, "one of its choices"),
        (Literal["a", 1], [], "one of its choices"),
        (list[int], "123", "a JSON array"),
        (list[int], {"1": 2}, "a JSON array"),
        (tuple[int, ...], "123", "a JSON array"),
        (dict[str, int], [], "a JSON object"),
        (Fixed, [], "a JSON object"),
        (Fixed | None, [], "a JSON object"),
        (Fixed | Stepped, [], "one of its forms"),
        (Fixed | Stepped, {}, "one of its forms"),
        (Fixed | Stepped, {"kind": "other"}, "one of its forms"),
        (Fixed | Stepped, {"kind": []}, "one of its forms"),
        (Fixed | Stepped, None, "one of its forms"),
    ],
)
def test_value_is_not_converted(annotation: Any, value: object, noun: str) -> None:
    """What is only alike is refused: a text of digits is no number, 1 is not true."""
    (problem,) = problems(of(dict[str, annotation]), X=json.dumps({"key": value}))

    assert problem.clause == f"X: ${{0}} is not {noun}"
    assert problem.expected


def test_number_beyond_64_bits_is_refused() -> None:
    """Python reads it as infinite, which nobody wrote."""
    (problem,) = problems(of(dict[str, float]), X='{"key": 1e999}')

    assert problem.clause == "X: ${0} is not a number"


def test_expected_is_said_in_terms_of_json() -> None:
    """Who knows the plain types of variables learns what differs in JSON."""

    @attrs.frozen
    class Kinds:
        a: Duration
        b: Percent
        c: Region
        d: Literal["only"]
        e: Fixed | Stepped
        f: Fixed | None

    found = problems(of(Kinds), X=json.dumps(dict.fromkeys("abcdef", 1.5)))

    assert [problem.expected for problem in found] == [
        "numbers with units (ns, us, ms, s, m, h), such as 300ms, 1.5s or 2h45m; in double quotes",
        "an integer from 0 to 100, without a percent sign; without quotes",
        '"eu" or "us"',
        '"only"',
        "a JSON object with kind, amount, or a JSON object with kind, steps",
        "a JSON object with kind, amount",
    ]


@pytest.mark.parametrize(
    ("annotation", "value", "wanted"),
    [
        (list[Fixed], [{"kind": "fixed", "amount": 1}], [Fixed(kind="fixed", amount=1)]),
        (tuple[Fixed, ...], [{"kind": "fixed", "amount": 1}], (Fixed(kind="fixed", amount=1),)),
        (list[dict[str, int]], [{"a": 1}], [{"a": 1}]),
        (list[list[int]], [[1], [2]], [[1], [2]]),
        (list[Any], [1, "a"], [1, "a"]),
        (list[Fixed | Stepped], [{"kind": "fixed", "amount": 1}], [Fixed(kind="fixed", amount=1)]),
        (dict[str, list[int]] | None, {"a": [1]}, {"a": [1]}),
        (Fixed | Stepped, {"kind": "fixed", "amount": 1}, Fixed(kind="fixed", amount=1)),
        (Fixed | None, {"kind": "fixed", "amount": 1}, Fixed(kind="fixed", amount=1)),
    ],
)
def test_types_that_are_json(annotation: Any, value: object, wanted: object) -> None:
    """JSON is what commas cannot separate."""
    assert read(annotation, value) == wanted
    assert [variable.type for variable in describe(of(annotation))] == ["JSON"]


@pytest.mark.parametrize("annotation", [list[int], tuple[Region, ...], list[Duration]])
def test_lists_of_plain_types_stay_comma_separated(annotation: Any) -> None:
    """A list of texts needs no quotes and brackets."""
    (variable,) = describe(of(annotation))

    assert variable.type.startswith("list of ")
    assert variable.schema is None


def test_form_is_told_by_a_required_key() -> None:
    """Without a Literal to tell them apart, each class has a key that no other has."""

    @attrs.frozen
    class Socket:
        path: str

    @attrs.frozen
    class Port:
        port: int
        host: str = "localhost"

    assert read(Socket | Port, {"path": "/run/x"}) == Socket("/run/x")
    assert read(Socket | Port, {"port": 1, "host": "a"}) == Port(1, "a")


def test_forms_that_cannot_be_told_apart_are_refused() -> None:
    """The author learns it when the class is first looked at, not when a variable is set."""

    @attrs.frozen
    class One:
        name: str

    @attrs.frozen
    class Other:
        name: str

    with pytest.raises(UsageError, match="whether a JSON object is One or Other cannot be told"):
        describe(of(One | Other, default=None))


def test_class_with_variables_of_its_own_is_refused() -> None:
    """A field is in the JSON, or in a variable of its own."""
    with pytest.raises(UsageError, match="field 'limits' of class 'Config', which a variable"):
        describe(of(Config))


def test_class_that_holds_itself_is_refused() -> None:
    """Its form would have no end."""

    @attrs.frozen
    class Tree:
        children: list[Any]

    attrs.resolve_types(Tree, {"list": list, "Any": Any})
    Tree.__annotations__["children"] = list[Tree]

    with pytest.raises(UsageError, match="config class 'Tree' embeds itself"):
        describe(of(Tree))


def test_private_fields_and_those_that_are_not_given() -> None:
    """The keys are the names a class is made with."""

    @attrs.frozen
    class Private:
        _name: str
        made: int = attrs.field(init=False, default=3)

    assert read(Private, {"name": "a"}) == Private("a")
    assert describe(of(Private))[0].form == "a JSON object with name"
    assert problems(of(Private), X='{"name": 1}')[0].path == "$.name"
    assert problems(of(Private), X='{"name": "a", "made": 1}')[0].wrong == "has an unknown key"
    assert problems(of(Private), X="{}")[0].path == "$.name"


def judge(_: object, __: object, value: Any) -> None:
    """Accept even numbers, and what is no number."""
    if value == 13:
        raise ValueError(f"unlucky {value}")
    if value % 2:
        raise InvalidValue("an even number")


@attrs.frozen
class Judged:
    number: int = attrs.field(validator=judge)
    secret: Secret = attrs.field(default=Secret(""))

    def __attrs_post_init__(self) -> None:
        """Say a secret where only the expectation belongs."""
        if self.secret:
            raise InvalidValue(f"not {self.secret.reveal()}")


@pytest.mark.parametrize(
    ("value", "expected", "hint"),
    [
        ({"number": 3}, "an even number", ""),
        ({"number": 13}, "", "it raised ValueError"),
        ({"number": 2, "secret": "hunter2"}, "", ""),
    ],
)
def test_class_refuses_its_values(value: object, expected: str, hint: str) -> None:
    """A class says what it expects, and neither a value nor a secret."""
    (problem,) = problems(of(list[Judged]), X=json.dumps([{"number": 2}, value]))

    assert problem.clause == "X: $[1] will not do for Judged"
    assert (problem.expected, problem.hint) == (expected, hint)


def test_whole_value_is_validated() -> None:
    """`env(validator=…)` sees what the JSON became."""

    def few(tiers: list[Tier]) -> None:
        if len(tiers) > 1:
            raise InvalidValue("one tier")

    tier = {"name": "a", "rate": 1}
    (problem,) = problems(of(list[Tier], validator=few), X=json.dumps([tier, tier]))

    assert problem.clause == "X will not do"
    assert problem.expected == "one tier"


def test_invalid_is_ignored_where_it_is_allowed() -> None:
    """Each mistake is a warning then."""
    loading = Loading({"X": '{"a": "1", "b": true}'})
    config = of(dict[str, int], default={}, invalid_is_unset=True)

    assert loading.section(config, "service") == config()
    assert [problem.clause for problem in loading.ignored] == [
        "X: ${0} is not an integer",
        "X: ${1} is not an integer",
    ]
    assert {problem.hint for problem in loading.ignored} == {"the value is ignored"}


def test_default_is_shown_as_json() -> None:
    """What help shows can be copied into a manifest, and is no secret."""

    @attrs.frozen
    class Shown:
        wait: Duration = 1.5
        region: Region = Region.EU
        folder: Path = Path("/srv")
        _price: Fixed | Stepped | None = Fixed(kind="fixed", amount=1)

    (shown,) = describe(of(Shown, default=Shown()))
    (hidden,) = describe(of(Tier, default=Tier(name="a", rate=1, token=Secret("x"))))
    (nothing,) = describe(of(Tier | None, default=None))
    (loose,) = describe(of(dict[str, Any], default={"a": [Secret("x")]}))

    assert shown.default == (
        '{"wait":"1.5s","region":"eu","folder":"/srv","price":{"kind":"fixed","amount":1}}'
    )
    assert load(of(Shown), {"X": shown.default}).x == Shown()
    assert load(of(Shown, default=Shown()), {}).x == Shown()
    assert (hidden.default, hidden.secret) == ("***", True)
    assert nothing.default is None
    assert loose.default == '{"a":["***"]}'


def test_default_is_repeated_on_a_live_platform() -> None:
    """What is not allowed there is another value."""
    config = of(dict[str, int], default={"a": 1}, forbidden_when_msp=True)

    assert load(config, {"MSP": "true", "X": '{ "a": 1 }'}).x == {"a": 1}
    (problem,) = problems(config, MSP="true", X='{"a": 2}')
    assert problem.expected == '{"a":1}'


def test_schema_says_what_the_variable_holds() -> None:
    """An editor checks the JSON inside of the text."""
    document = json_schema("t", describe(Config))

    held = document["properties"]["LIMITS"]
    assert held["contentMediaType"] == "application/json"
    assert held["writeOnly"]
    tier = held["contentSchema"]["properties"]["tiers"]["items"]
    assert tier == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "rate": {"type": "number"},
            "burst": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
            "token": {"anyOf": [{"type": "string", "writeOnly": True}, {"type": "null"}]},
        },
        "required": ["name", "rate"],
        "additionalProperties": False,
    }
    assert held["contentSchema"]["properties"]["tenants"] == {
        "type": "object",
        "additionalProperties": tier,
    }


def test_schemas_of_the_types() -> None:
    """Each type has a schema of its own."""

    @attrs.frozen
    class Kinds:
        a: Duration
        b: Percent
        c: URL
        d: Region
        e: Path
        f: bool
        g: Any
        h: Fixed | None

    (variable,) = describe(of(Kinds))

    assert variable.schema is not None
    assert list(variable.schema["properties"].values())[:7] == [
        {"type": "string"},
        {"type": "integer", "minimum": 0, "maximum": 100},
        {"type": "string", "format": "uri"},
        {"enum": ["eu", "us"]},
        {"type": "string"},
        {"type": "boolean"},
        {},
    ]
    assert variable.schema["properties"]["h"]["anyOf"][1] == {"type": "null"}


def secrets(config: type[object], text: str) -> frozenset[str]:
    """Return what would be hidden."""
    loading = Loading({"X": text})
    loading.section(config, "service")
    return loading.secrets


@attrs.frozen(kw_only=True)
class Account:
    name: str
    key: Secret
    site: URL = "https://a"
    any: Any = None


@attrs.frozen(kw_only=True)
class Anonymous:
    name: str
    nothing: int


@pytest.mark.parametrize(
    ("annotation", "value", "hidden"),
    [
        (Account, {"name": "n", "key": "word", "any": {"b": "c"}}, {"word"}),
        (list[Account], [{"name": "n", "key": "word"}], {"word"}),
        (dict[str, Account], {"k": {"name": "n", "key": "word"}}, {"word"}),
        (dict[str, Secret], {"k": "word", "j": "other"}, {"word", "other"}),
        (dict[str, list[Secret | None]], {"k": ["word", None, True]}, {"word"}),
        (Account | Anonymous, {"name": "n", "key": "word"}, {"word"}),
        (Account, {"name": "n", "key": "redis://:word@h"}, {"redis://:word@h", "word"}),
        # With problems:
        (Account, {"name": 1, "key": "word"}, {"word"}),
        (Account, {"name": "n", "key": 1234}, {"1234"}),
        (Account, {"name": "n", "key": {"a": ["word"]}}, {"word"}),
        (Account, {"name": "n", "kye": "word"}, {"word"}),
        (Account, {"name": ["word"], "key": "k"}, {"word", "k"}),
        (list[Account], {"name": "word"}, {"word"}),
        # No secret in it but the passwords of URLs:
        (Fixed, {"kind": "https://u:word@h", "more": ["a"]}, {"word"}),
    ],
)
def test_secrets_in_json_are_hidden(annotation: Any, value: object, hidden: set[str]) -> None:
    """Log lines are scrubbed of nested secrets, and of nothing that only stands beside one."""
    assert secrets(of(annotation), json.dumps(value)) == hidden


def test_secret_in_a_broken_text_is_hidden_with_it() -> None:
    """What cannot be taken apart is hidden as a whole, where it should hold a secret."""
    text = '{"key": "word"'

    assert secrets(of(Account), text) == {text}
    assert secrets(of(Fixed), text) == frozenset()
    assert secrets(of(Fixed), "[" * 200_000) == frozenset()


# Letters that none of our own texts use.
letters = st.text(st.characters(min_codepoint=0x0416, max_codepoint=0x04FF), min_size=1)
values = st.recursive(
    letters | st.booleans() | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(letters | st.just("tiers"), inner),
    max_leaves=5,
)


@given(values, letters, st.booleans())
def test_problems_never_show_values(value: object, last: str, escaped: bool) -> None:  # noqa: FBT001 - drawn
    """Neither values nor keys are in any text that the error can become."""
    text = json.dumps({"tiers": value, last: 1, "price": {last: last}}, ensure_ascii=escaped)

    with pytest.raises(ConfigError) as refused:
        load(Config, {"LIMITS": text})

    shown = "".join(traceback.format_exception(refused.value)) + repr(refused.value.problems)
    assert refused.value.__context__ is None
    assert not any(0x0416 <= ord(letter) <= 0x04FF for letter in shown)
    assert "\\u04" not in shown


def test_repr_shows_no_value() -> None:
    """The config that holds it is as masked as with other variables."""
    tier = '{"name": "free", "rate": 1, "token": "s3cret"}'

    assert "free" not in repr(load(of(Tier), {"X": tier}))
    assert "s3cret" not in repr(load(of(Tier), {"X": tier}).x)
