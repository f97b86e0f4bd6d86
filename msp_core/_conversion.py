"""The converter from a variable's text to the type of its field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msp_core._kinds import URL, Duration, Percent, choices, element_of
from msp_core._parsing import parse_bool, parse_duration, parse_float, parse_int
from msp_core.secret import Secret

if TYPE_CHECKING:
    from cattrs import BaseConverter

MAX_PERCENT = 100


def convert(text: str, annotation: Any) -> Any:  # noqa: ANN401 - annotations have no common type
    """Return the value that a text stands for.

    Args:
        text: of the variable, not empty.
        annotation: a type that `kind_of` accepts.

    Raises:
        ValueError: the text is not of that type. Its own text and causes may hold the value: say
            what `kind_of` says instead, and never chain it.
    """
    accepted = choices(annotation)
    # Before the converter, which takes an IntEnum for an int.
    return _converter().structure(text, annotation) if accepted is None else _pick(text, accepted)


@cache
def _converter() -> BaseConverter:
    from cattrs import BaseConverter  # noqa: PLC0415 - half of the core's import time

    converter = BaseConverter(detailed_validation=False)
    converter.register_structure_hook(bool, _hook(parse_bool))
    converter.register_structure_hook(int, _hook(parse_int))
    converter.register_structure_hook(float, _hook(parse_float))
    converter.register_structure_hook(Secret, _hook(Secret))
    converter.register_structure_hook_func(_is(Duration), _hook(parse_duration))
    converter.register_structure_hook_func(_is(Percent), _hook(parse_percent))
    converter.register_structure_hook_func(_is(URL), _hook(parse_url))
    converter.register_structure_hook_factory(_is_list, _list_hook)
    return converter


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


def _hook(parse: Callable[[str], Any]) -> Callable[[str, Any], Any]:
    return lambda text, _: parse(text)


def _is(annotated: Any) -> Callable[[Any], bool]:  # noqa: ANN401 - as convert
    return lambda annotation: bool(annotation == annotated)


def _pick(text: str, accepted: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as convert
    if text not in accepted:
        raise ValueError("not one of its choices")
    return accepted[text]


def _is_list(annotation: Any) -> bool:  # noqa: ANN401 - as convert
    return element_of(annotation) is not None


def _list_hook(annotation: Any) -> Callable[[str, Any], Any]:  # noqa: ANN401 - as convert
    element = element_of(annotation)

    def split(text: str, _: Any) -> Any:  # noqa: ANN401 - as convert
        parts = [part.strip() for part in text.split(",")]
        if not all(parts):
            raise ValueError("an element is empty")
        return annotation.__origin__(convert(part, element) for part in parts)

    return split
