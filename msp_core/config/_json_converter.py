"""The converter of variables that hold JSON: strict hooks for cattrs.

Imported only when a config class has such a variable. cattrs converts what is alike, "3" to 3 and
1 to True; here a part of the JSON either is of its type, or is refused.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, get_origin

import attrs
from cattrs import Converter
from cattrs.cols import homogenous_tuple_structure_factory, list_structure_factory
from cattrs.disambiguators import create_default_dis_func
from cattrs.gen import mapping_structure_factory

from msp_core.config._go import INT64_MAX, parse_duration
from msp_core.config._json_content import json_choices
from msp_core.config._kinds import (
    MAX_PERCENT,
    URL,
    Duration,
    Percent,
    members_of,
    parse_url,
    strip_remarks,
)
from msp_core.config._variables import duration_text
from msp_core.errors import UsageError
from msp_core.secret import MASK, Secret

Hook: TypeAlias = Callable[[Any, Any], Any]
"""(parsed JSON, type) -> value of the type; raises UnfitError, or what cattrs collects."""


class UnfitError(Exception):
    """A part of the JSON is not of its type.

    Attributes:
        annotation: the type.
    """

    def __init__(self, annotation: object) -> None:
        self.annotation = annotation
        super().__init__()


@functools.cache
def make_converter() -> Converter:
    """Return the one converter: strict, by the names that a class is made with."""
    converter = Converter(forbid_extra_keys=True, use_alias=True)
    for kind in (str, int, float, Path):  # cattrs has hooks for these, which convert
        converter.register_structure_hook(kind, _structure_plain)
    converter.register_structure_hook_func(_is_plain, _structure_plain)
    converter.register_structure_hook_factory(
        attrs.has, _only(dict, lambda cls, to: to.gen_structure_attrs_fromdict(cls))
    )
    for origin, json_type, make in _COLLECTIONS:
        converter.register_structure_hook_factory(_has_origin(origin), _only(json_type, make))
    converter.register_structure_hook_factory(_is_union, _structure_union)
    converter.register_unstructure_hook(Secret, lambda _: MASK)
    converter.register_unstructure_hook_func(
        lambda cls: strip_remarks(cls) == Duration, duration_text
    )
    return converter


_COLLECTIONS: tuple[tuple[type, type, Callable[[Any, Converter], Hook]], ...] = (
    (dict, dict, mapping_structure_factory),
    (list, list, list_structure_factory),
    (tuple, list, homogenous_tuple_structure_factory),
)


def _has_origin(origin: type) -> Callable[[Any], bool]:
    return lambda annotation: get_origin(annotation) is origin


def _only(json_type: type, make: Callable[[Any, Converter], Hook]) -> Callable[..., Hook]:
    """Return what makes a hook that takes this type of JSON alone: cattrs takes what is alike."""

    def factory(annotation: Any, converter: Converter) -> Hook:  # noqa: ANN401 - as read_json
        inner = make(annotation, converter)

        @functools.wraps(inner)
        def structure(value: Any, cls: Any) -> Any:  # noqa: ANN401 - a hook
            if type(value) is not json_type:
                raise UnfitError(annotation)
            return inner(value, cls)

        return structure

    return factory


def _is_union(annotation: object) -> bool:
    members, nullable = members_of(annotation)
    return nullable or len(members) > 1


def _structure_union(annotation: Any, converter: Converter) -> Hook:  # noqa: ANN401 - as read_json
    members, nullable = members_of(annotation)
    choose = _chooser(members, converter)

    def structure(value: Any, _: Any) -> Any:  # noqa: ANN401 - a hook
        if value is None and nullable:
            return None
        try:
            chosen = choose(value)
        except (KeyError, TypeError, ValueError):
            raise UnfitError(annotation) from None
        return converter.structure(value, chosen)

    return structure


def _chooser(members: tuple[Any, ...], converter: Converter) -> Callable[[Any], Any]:
    if len(members) == 1:
        return lambda _: members[0]
    try:
        return create_default_dis_func(converter, *members)
    except TypeError:
        names = " or ".join(member.__name__ for member in members)
        raise UsageError(
            f"whether a JSON object is {names} cannot be told: give each a required field that no "
            "other has, or one of the same name whose type is a Literal"
        ) from None


def _is_plain(annotation: object) -> bool:
    named = strip_remarks(annotation)
    return named in _READERS or json_choices(named) is not None


def _structure_plain(value: Any, annotation: Any) -> Any:  # noqa: ANN401 - a hook
    named = strip_remarks(annotation)
    try:
        if json_choices(named) is not None:
            return _choose(value, named)
        return _READERS[named](value)
    except (TypeError, ValueError, OverflowError):
        raise UnfitError(annotation) from None


def _choose(value: object, annotation: Any) -> object:  # noqa: ANN401 - as read_json
    for accepted in json_choices(annotation) or ():
        # 1 equals 1.0 and True.
        if type(accepted) is type(value) and accepted == value:
            return annotation(value) if isinstance(annotation, type) else accepted
    raise ValueError


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _integer(value: object) -> int:
    if type(value) is not int:
        raise TypeError
    if not -INT64_MAX - 1 <= value <= INT64_MAX:
        raise ValueError
    return value


def _number(value: object) -> float:
    if type(value) not in (int, float):
        raise TypeError
    number = float(value)  # type: ignore[arg-type]
    if math.isinf(number):
        raise ValueError
    return number


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _percent(value: object) -> int:
    percent = _integer(value)
    if not 0 <= percent <= MAX_PERCENT:
        raise ValueError
    return percent


_READERS: dict[Any, Callable[[Any], Any]] = {
    str: _text,
    int: _integer,
    float: _number,
    bool: _boolean,
    Percent: _percent,
    Secret: lambda value: Secret(_text(value)),
    Path: lambda value: Path(_text(value)),
    Duration: lambda value: parse_duration(_text(value)),
    URL: lambda value: parse_url(_text(value)),
}
