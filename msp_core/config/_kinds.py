"""The types a variable can have: how a text becomes one, what it is called, why it will not do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    TypeAlias,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)
from urllib.parse import urlsplit

import attrs

from msp_core.config._go import parse_bool, parse_duration, parse_float, parse_int
from msp_core.errors import UsageError
from msp_core.secret import Secret

MAX_PERCENT = 100


@attrs.frozen(kw_only=True, eq=False)
class Kind:
    """One type of variable: how its text is read, and what messages and help say about it.

    Attributes:
        parse: (text that is not empty) -> the value. Raises ValueError when the text is not of the
            type; the error may quote the value, so it is never shown or chained. Default: the text
            as it is.
        name: one or two words for tables: `duration`.
        noun: completes "is not …": `a duration`.
        form: completes "expected …": `a number with a unit, such as 1.5s`; empty when every text
            that is not empty will do.
        choices: every accepted text, when the type lists them.
        secret: whether the value must be hidden.
        schema: JSON Schema of the value, for JSON; None for what is read as plain text.
    """

    parse: Callable[[str], Any] = attrs.field(default=str, eq=False, repr=False)
    name: str
    noun: str
    form: str = ""
    choices: tuple[str, ...] = ()
    secret: bool = False
    schema: Mapping[str, Any] | None = attrs.field(default=None, hash=False)


@attrs.frozen(eq=False)
class Refusal:
    """Why a value will not do, in the words of a Problem. Never holds the value.

    Attributes:
        wrong: what is wrong, one clause: `is not a boolean`.
        expected: what would be accepted; empty when `wrong` says it already.
        hint: what to do beyond that; may be empty.
        path: where in a variable that holds JSON, `$.tiers[2].rate`; empty for all of it.
    """

    wrong: str
    expected: str = ""
    hint: str = ""
    path: str = ""


def parse_percent(text: str) -> int:
    """Return an integer from 0 to 100, both included."""
    value = parse_int(text)
    if not 0 <= value <= MAX_PERCENT:
        raise ValueError("not a percentage")
    return value


def parse_url(text: str) -> str:
    """Return the text as it is when it has a scheme and a host, and any port is a number."""
    parts = urlsplit(text)
    if not parts.scheme or not parts.hostname or parts.port == 0:
        raise ValueError("not a URL")
    return text


Duration: TypeAlias = Annotated[
    float,
    Kind(
        parse=parse_duration,
        name="duration",
        noun="a duration",
        form="numbers with units (ns, us, ms, s, m, h), such as 300ms, 1.5s or 2h45m",
    ),
]
"""Seconds, written as in Go: `300ms`, `1.5s`, `2h45m`, `0`; negative ones are accepted."""

Percent: TypeAlias = Annotated[
    int,
    Kind(
        parse=parse_percent,
        name="percentage",
        noun="a percentage",
        form="an integer from 0 to 100, without a percent sign",
    ),
]
"""An integer from 0 to 100, both included."""

URL: TypeAlias = Annotated[
    str,
    Kind(
        parse=parse_url,
        name="URL",
        noun="a URL",
        form="a scheme and a host, such as https://example.com/path",
    ),
]
"""A text with a scheme and a host; use `Secret` for one that holds a password."""

_PLAIN: dict[Any, Kind] = {
    str: Kind(name="text", noun="a text"),
    int: Kind(
        parse=parse_int,
        name="integer",
        noun="an integer",
        form="an integer of 64 bits, such as 8080",
    ),
    float: Kind(
        parse=parse_float,
        name="number",
        noun="a number",
        form="a number of 64 bits, such as 0.25 or 1e-3",
    ),
    bool: Kind(
        parse=parse_bool,
        name="boolean",
        noun="a boolean",
        form="true or false (or 1, t, T, TRUE, True, 0, f, F, FALSE, False)",
    ),
    Secret: Kind(parse=Secret, name="secret", noun="a secret", secret=True),
    Path: Kind(parse=Path, name="path", noun="a path"),
}


def kind_of(annotation: Any) -> Kind:  # noqa: ANN401 - annotations have no common type
    """Return how a field's type is read, and what messages and help say about it.

    Args:
        annotation: resolved type of a field, as `plain` returns it.

    Raises:
        UsageError: a variable cannot be of that type.
    """
    if get_origin(annotation) is Annotated:
        kind: Kind
        (kind,) = annotation.__metadata__
        return kind
    accepted = choices(annotation)
    if accepted is not None:
        return _choice(accepted)
    element = element_of(annotation)
    if element is not None:
        return _list(annotation.__origin__, kind_of(element))
    if annotation not in _PLAIN:
        raise refuse_type(annotation)
    return _PLAIN[annotation]


def refuse_type(annotation: Any) -> UsageError:  # noqa: ANN401 - as kind_of
    """Return the error about a type that no variable can have."""
    return UsageError(
        f"a variable cannot be of type {annotation!r}: use str, int, float, bool, Duration, "
        "Percent, URL, Secret, Path, an Enum, a Literal, or a list or tuple[…, ...] of those; "
        "or, for JSON, an attrs class, a dict[str, …], a union of attrs classes, or a list of those"
    )


def is_json(members: Sequence[Any]) -> bool:
    """Return whether a variable of these types, of which it has one, holds JSON.

    It does when they are attrs classes, a dict, or a list of elements that commas cannot separate.
    """
    if members and all(attrs.has(member) for member in members):
        return True
    if len(members) != 1:
        return False
    element = element_of(members[0])
    if element is None:
        return get_origin(members[0]) is dict
    nested, nullable = members_of(element)
    listed = element is Any or element_of(element) is not None
    return nullable or len(nested) > 1 or listed or is_json(nested)


def strip_remarks(annotation: Any) -> Any:  # noqa: ANN401 - as kind_of
    """Return the type without what does not change how its text is read: names and remarks."""
    while True:
        if get_origin(annotation) is Annotated:
            kind = next(
                (extra for extra in annotation.__metadata__ if isinstance(extra, Kind)), None
            )
            if kind is not None:
                return Annotated[annotation.__origin__, kind]
            annotation = annotation.__origin__
        elif hasattr(annotation, "__supertype__"):  # NewType
            annotation = annotation.__supertype__
        elif hasattr(annotation, "__value__"):  # type X = …
            annotation = annotation.__value__
        else:
            return annotation


def members_of(annotation: Any) -> tuple[tuple[Any, ...], bool]:  # noqa: ANN401 - as kind_of
    """Return the types of a union without None, and whether None was among them."""
    union = get_origin(annotation) in (Union, UnionType)
    members = get_args(annotation) if union else (annotation,)
    present = tuple(strip_remarks(member) for member in members if member is not type(None))
    return present, len(present) < len(members)


def read_hints(config: type[Any]) -> dict[str, Any]:
    """Return the types of a class's fields.

    Raises:
        UsageError: one cannot be resolved.
    """
    try:
        return get_type_hints(config, include_extras=True)
    except (NameError, AttributeError) as error:
        raise UsageError(
            f"the types of config class {config.__name__!r} cannot be resolved: {error}; import or "
            "define it at the top of the module, outside of TYPE_CHECKING"
        ) from None


def choices(annotation: Any) -> dict[str, Any] | None:  # noqa: ANN401 - as kind_of
    """Return the accepted texts of an Enum (by value) or Literal with what they mean; else None."""
    if get_origin(annotation) is Literal:
        return {str(value): value for value in get_args(annotation)}
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return {str(member.value): member for member in annotation} or None
    return None


def element_of(annotation: Any) -> Any | None:  # noqa: ANN401 - as kind_of
    """Return the type of each element of a `list[X]` or `tuple[X, ...]`; else None."""
    match get_origin(annotation), get_args(annotation):
        case (origin, (element,)) if origin is list:
            return strip_remarks(element)
        case (origin, (element, more)) if origin is tuple and more is ...:
            return strip_remarks(element)
    return None


def _choice(accepted: Mapping[str, Any]) -> Kind:
    def choose(text: str) -> Any:  # noqa: ANN401 - of the type that lists its values
        if text not in accepted:
            raise ValueError("not one of its choices")
        return accepted[text]

    *most, last = accepted
    form = f"{', '.join(most)} or {last}" if most else last
    noun = "one of its choices"
    return Kind(parse=choose, name="choice", noun=noun, form=form, choices=tuple(accepted))


def _list(container: Callable[[Iterable[Any]], Any], element: Kind) -> Kind:
    def separate(text: str) -> Any:  # noqa: ANN401 - a list or a tuple
        parts = [part.strip() for part in text.split(",")]
        if not all(parts):
            raise ValueError("an element is empty")
        return container(map(element.parse, parts))

    return Kind(
        parse=separate,
        name=f"list of {element.name}",
        noun="a list",
        form=f"values separated by commas, each {element.form or element.noun}",
        secret=element.secret,
    )
