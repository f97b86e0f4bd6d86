"""From JSON to the values of a config class, and back; everything that is wrong, with its path.

Imported only when a config class has a variable that holds JSON. Paths are as in `$.tiers[2].rate`.
The keys of a dict are data, which is never shown: `$.tenants{1}.rate` is in the second of its
entries. Both count from 0.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Never

import attrs
from cattrs import (
    BaseValidationError,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
)

from msp_core.config._json_content import content_of
from msp_core.config._json_converter import UnfitError, make_converter
from msp_core.config._kinds import Refusal
from msp_core.config._near_miss import closest
from msp_core.errors import InvalidValue


class UnreadableError(ValueError):
    """A text that Python takes as JSON and others do not; says why, never the text."""


def read_json(
    text: str,
    annotation: Any,  # noqa: ANN401 - annotations have no common type
    say: Callable[[InvalidValue], str],
) -> tuple[Any, tuple[Refusal, ...]]:
    """Return what a text stands for, or everything that is wrong with it.

    Args:
        text: of the variable.
        annotation: its type.
        say: returns what may be shown of an error that a class raises about its values.
    """
    try:
        parsed = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        return None, (Refusal(_why_unreadable(error), content_of(annotation).form),)
    try:
        return make_converter().structure(parsed, annotation), ()
    except (BaseValidationError, UnfitError) as error:
        found = error
    # Outside of the handler: its texts and notes hold values, and nothing that follows may be
    # chained to them.
    return None, tuple(_Finder(say).find(found, "$", parsed))


def write_json(value: object, annotation: Any) -> str:  # noqa: ANN401 - as read_json
    """Return a value as JSON on one line, secrets masked."""
    plain_value = make_converter().unstructure(value, unstructure_as=annotation)
    return json.dumps(plain_value, ensure_ascii=False, separators=(",", ":"))


def check_type(annotation: Any) -> None:  # noqa: ANN401 - as read_json
    """Make what structures the type, so that the author learns at once what cannot be told apart.

    Raises:
        UsageError: a union holds classes that no JSON object tells apart.
    """
    make_converter().get_structure_hook(annotation)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UnreadableError("names a key of one object twice")
    return found


def _refuse_constant(_: str) -> Never:
    raise UnreadableError("holds a number that is not finite, which JSON does not know")


def _why_unreadable(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return f"is not JSON from line {error.lineno}, column {error.colno} on"
        case UnreadableError():
            return str(error)
        case RecursionError():
            return "is nested too deeply"
        case _:
            return "holds a number of too many digits"


@attrs.frozen
class _Finder:
    """Finds what is wrong in an error of cattrs.

    Attributes:
        say: as in `read_json`.
    """

    say: Callable[[InvalidValue], str]

    def find(self, error: BaseException, path: str, value: Any) -> Iterator[Refusal]:  # noqa: ANN401 - parsed JSON
        """Yield everything that is wrong below a path, in order."""
        match error:
            case ClassValidationError():
                yield from self._find_in_class(error, path, value)
            case IterableValidationError():
                for inner, note in error.group_exceptions()[0]:
                    yield from self.find(inner, path + _step(value, note.index), value[note.index])
            case UnfitError():
                kind = content_of(error.annotation)
                yield _refuse(path, f"is not {kind.noun}", kind.form)
            case _:
                raise AssertionError("no hook raises anything else")

    def _find_in_class(
        self,
        error: ClassValidationError,
        path: str,
        value: Any,  # noqa: ANN401 - parsed JSON
    ) -> Iterator[Refusal]:
        fields = attrs.fields_dict(error.cl)
        noted, others = error.group_exceptions()
        for inner, note in noted:
            name = fields[note.name].alias or note.name
            if isinstance(inner, KeyError):  # the one that cattrs meets when it takes the key
                yield _refuse(f"{path}.{name}", "is not given", content_of(note.type).form)
            else:
                yield from self.find(inner, f"{path}.{name}", value[name])
        for inner in others:
            yield self._judge(inner, error.cl, path, value)

    def _judge(self, error: Exception, cls: type[Any], path: str, value: Any) -> Refusal:  # noqa: ANN401 - parsed JSON
        """Return what is wrong with an object as a whole."""
        if isinstance(error, ForbiddenExtraKeysError):
            return _refuse_keys(error.extra_fields, cls, path, value)
        wrong = f"will not do for {cls.__name__}"
        if isinstance(error, InvalidValue):
            return _refuse(path, wrong, self.say(error))
        return _refuse(path, wrong, hint=f"it raised {type(error).__name__}")


def _step(value: Any, index: Any) -> str:  # noqa: ANN401 - parsed JSON
    return f"[{index}]" if isinstance(value, list) else f"{{{list(value).index(index)}}}"


def _refuse_keys(strays: set[str], cls: type[Any], path: str, value: Any) -> Refusal:  # noqa: ANN401 - parsed JSON
    """Say what is known: an unknown key may hold anything, it is not shown."""
    names = [field.alias or field.name for field in attrs.fields(cls) if field.init]
    absent = [name for name in names if name not in value]
    meant = [name for stray in sorted(strays) if (name := closest(stray, absent))]
    wrong = "has an unknown key" if len(strays) == 1 else f"has {len(strays)} unknown keys"
    expected = f"no other keys than {', '.join(names)}" if names else "no keys"
    return _refuse(path, wrong, expected, f"did you mean {', '.join(meant)}?" if meant else "")


def _refuse(path: str, wrong: str, expected: str = "", hint: str = "") -> Refusal:
    return Refusal(wrong, expected, hint, path="" if path == "$" else path)
