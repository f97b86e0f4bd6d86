"""Variables as declared: env(), and the records that help and reference tables are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import Enum
from typing import Any

import attrs

from msp_core._text.records import SHOWN_WHEN_SET
from msp_core.config._kinds import Kind
from msp_core.secret import MASK

METADATA = "msp_core.env"

_FACTORY: Any = attrs.Factory  # a class, though typed as a function


@attrs.frozen(kw_only=True, eq=False)
class Declared:
    """What `env()` was given, kept in the metadata of the attrs field.

    Attributes:
        name: of the variable.
        help: what the variable is for.
        validator: (value) -> anything; raises when the value will not do.
        required: whether it is needed although the class could be made without.
        forbidden_when_msp: whether it is refused on a live platform.
        empty_is_unset: whether a variable that is set to nothing counts as not set.
        alone_is_unset: whether one that is set without those it is needed with counts as not set.
        invalid_is_unset: whether one whose value will not do counts as not set.
    """

    name: str
    help: str
    validator: Callable[[Any], object] | None
    required: bool
    forbidden_when_msp: bool
    empty_is_unset: bool
    alone_is_unset: bool
    invalid_is_unset: bool


def env(  # noqa: PLR0913 - what a variable can be said to be
    name: str,
    *,
    default: Any = attrs.NOTHING,  # noqa: ANN401 - of the type of the field it declares
    help: str = "",  # noqa: A002 - the word that argparse and click use
    validator: Callable[[Any], object] | None = None,
    required: bool = False,
    forbidden_when_msp: bool = False,
    empty_is_unset: bool = False,
    alone_is_unset: bool = False,
    invalid_is_unset: bool = False,
) -> Any:  # noqa: ANN401 - as attrs.field, so that the field's own annotation counts
    """Declare that a field of an attrs class is read from a variable.

    The field's repr is masked, and it is set by keyword.

    Args:
        name: of the variable: `REDIS_ENDPOINT`.
        default: used as it is, neither parsed nor validated, when the variable is not set. Without
            one the variable is required, unless its type is `X | None`.
        help: what the variable is for, one lower-case clause; part of errors, help and tables.
        validator: called with the converted value; raises `InvalidValue("an even number")` to have
            it refused with "expected an even number".
        required: need the variable although its field has a default or may be None, which is then
            what a value that `invalid_is_unset` ignores becomes. Default False.
        forbidden_when_msp: refuse the variable when `MSP=true`: at all when it has no default,
            otherwise a value that differs from it.
        empty_is_unset: take a variable that is set to nothing as not set, for names whose meaning
            others define so. Default False: set to nothing is a problem.
        alone_is_unset: take the variable as not set when none of those that its fragment requires
            beside it is set, for names that other programs use for themselves. Default False: set
            alone it asks for the fragment, and is a problem.
        invalid_is_unset: warn of a value that will not do, and take the variable as not set, for
            what must never keep a service from starting. Default False: it is a problem.
    """
    declared = Declared(
        name=name,
        help=help,
        validator=validator,
        required=required,
        forbidden_when_msp=forbidden_when_msp,
        empty_is_unset=empty_is_unset,
        alone_is_unset=alone_is_unset,
        invalid_is_unset=invalid_is_unset,
    )
    return attrs.field(
        default=default,
        repr=_mask,
        kw_only=True,
        metadata={METADATA: declared},
    )


@attrs.frozen(kw_only=True)
class Group:
    """Variables that are set together or not at all.

    Attributes:
        choices: sets of names, of which one has to be set completely.
        optional: whether none of them may be set.
    """

    choices: tuple[tuple[str, ...], ...]
    optional: bool

    def __str__(self) -> str:
        """Return `PGDSN, or PGINSTANCE with PGUSER`."""
        return ", or ".join(" with ".join(names) for names in self.choices)


@attrs.frozen(kw_only=True)
class Variable:
    """One variable that is read, as help and reference tables show it. Never holds its value.

    Attributes:
        name: `REDIS_ENDPOINT`.
        owner: who reads it: `core`, `plugin 'redis', msp-redis 0.1.0`, `service 'guestbook'`.
        type: in words: `text`, `integer`, `number`, `boolean`, `duration`, `percentage`, `URL`,
            `secret`, `path`, `choice`, `list of integer`, `JSON`.
        form: what a value looks like; empty when every text that is not empty will do.
        choices: every accepted value of a `choice`; otherwise empty.
        required: whether nothing starts without it. False for one that is needed only with others:
            see `group`.
        default: what it is when not set, written as its value would be; None when there is none,
            `***` for a secret.
        help: what it is for.
        secret: whether its value is hidden and comes from a secret store.
        forbidden_when_msp: whether it is refused when `MSP=true`.
        empty_is_unset: whether it counts as not set when it is set to nothing; otherwise that is a
            problem.
        alone_is_unset: whether it counts as not set when it is set without the others of its group.
        group: the variables it is needed with; None for one that stands alone.
        schema: JSON Schema (draft 2020-12) of what it holds, for `JSON`; otherwise None.
    """

    name: str
    owner: str
    type: str
    form: str = ""
    choices: tuple[str, ...] = ()
    required: bool
    default: str | None = None
    help: str = ""
    secret: bool = False
    forbidden_when_msp: bool = False
    empty_is_unset: bool = False
    alone_is_unset: bool = False
    group: Group | None = None
    schema: Mapping[str, Any] | None = attrs.field(
        default=None, hash=False, metadata=SHOWN_WHEN_SET
    )

    @property
    def presence(self) -> str:
        """Whether it must be set, and with which others: `optional`, `required`.

        One that is needed only with others names the choices: `optional: PGDSN, or PGINSTANCE with
        PGUSER`.
        """
        if self.group is None:
            return "required" if self.required else "optional"
        word = "optional" if self.group.optional else "required"
        alone = self.group.choices == ((self.name,),)
        return word if alone else f"{word}: {self.group}"

    def is_set(self, environ: Mapping[str, str]) -> bool:
        """Return whether the variable counts as set among these."""
        return text_of(self.name, environ, empty_is_unset=self.empty_is_unset) is not None


def text_of(name: str, environ: Mapping[str, str], *, empty_is_unset: bool) -> str | None:
    """Return the text of a variable; None when it does not count as set."""
    text = environ.get(name)
    return None if empty_is_unset and not text else text


def merge(variables: Iterable[Variable]) -> tuple[Variable, ...]:
    """Return each variable once, in order, with its first owner.

    One that is required, or secret, anywhere is so altogether; it may be set to nothing, or alone,
    only where all readers allow it.
    """
    found: dict[str, Variable] = {}
    for variable in variables:
        known = found.get(variable.name, variable)
        if variable.required and not known.required:
            known = attrs.evolve(known, required=True, group=None)
        found[variable.name] = attrs.evolve(
            known,
            secret=known.secret or variable.secret,
            empty_is_unset=known.empty_is_unset and variable.empty_is_unset,
            alone_is_unset=known.alone_is_unset and variable.alone_is_unset,
        )
    return tuple(found.values())


def default_text(default: object, kind: Kind) -> str | None:
    """Return a default as it would be written in a variable; None when there is none."""
    if default is None or default is attrs.NOTHING:
        return None
    if kind.secret:
        return MASK
    if isinstance(default, (list, tuple)):
        return ",".join(_scalar_text(one, kind) for one in default)
    return _scalar_text(default, kind)


def plain_default(default: Any) -> Any:  # noqa: ANN401 - of the type of its field
    """Return what a field's default makes; None for one that depends on the instance."""
    if not isinstance(default, _FACTORY):
        return default
    return None if default.takes_self else default.factory()


def duration_text(seconds: float) -> str:
    """Return seconds as a duration is written, `1.5s`."""
    return f"{Decimal(str(seconds)):f}".removesuffix(".0") + "s"


def _scalar_text(default: object, kind: Kind) -> str:
    match default:
        case Enum():
            return str(default.value)
        case bool():
            return str(default).lower()
        case int() | float() if kind.name.endswith("duration"):
            return duration_text(default)
        case _:
            return str(default)


def _mask(_: object) -> str:
    return MASK
