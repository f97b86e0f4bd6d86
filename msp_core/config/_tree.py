"""A config class as a tree: its settings, and the fragments it embeds."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import attrs

from msp_core.config._kinds import Kind, is_json, kind_of, members_of, read_hints, strip_remarks
from msp_core.config._variables import (
    METADATA,
    Declared,
    Group,
    Variable,
    default_text,
    plain_default,
    text_of,
)
from msp_core.errors import UsageError

Needs: TypeAlias = tuple[tuple[str, ...], ...]
"""Sets of names, of which one is needed; an empty set among them means that nothing is."""

_NOTHING_NEEDED: Needs = ((),)


@attrs.frozen(kw_only=True, eq=False)
class Setting:
    """A field that is read from one variable.

    Attributes:
        argument: of the class, the field's alias.
        annotation: type of the value, without `| None`.
        kind: of that type.
        default: what the field's own makes; NOTHING when there is none.
        nullable: whether None is what it is when not set and without a default.
        declared: what `env()` was given.
    """

    argument: str
    annotation: Any
    kind: Kind
    default: Any
    nullable: bool
    declared: Declared

    @property
    def name(self) -> str:
        """Return the variable's name."""
        return self.declared.name

    @property
    def required(self) -> bool:
        """Return whether the variable must be set for the class to be made."""
        return self.declared.required or not self.dispensable

    @property
    def dispensable(self) -> bool:
        """Return whether there is something to make the class with when nothing is set."""
        return self.default is not attrs.NOTHING or self.nullable

    @property
    def has_default(self) -> bool:
        """Return whether it has a value when not set."""
        return self.default is not attrs.NOTHING and self.default is not None

    @property
    def default_text(self) -> str | None:
        """Return its default as the variable would hold it, None without; `***` for a secret."""
        if self.kind.schema is None or self.kind.secret or not self.has_default:
            return default_text(self.default, self.kind)
        from msp_core.config._json_values import write_json  # noqa: PLC0415 - as in _json_kind

        return write_json(self.default, self.annotation)

    @property
    def needs(self) -> Needs:
        """Return its own name when required."""
        return ((self.name,),) if self.required else _NOTHING_NEEDED

    def text(self, environ: Mapping[str, str]) -> str | None:
        """Return the variable's text; None when it does not count as set."""
        return text_of(self.name, environ, empty_is_unset=self.declared.empty_is_unset)


@attrs.frozen(kw_only=True, eq=False)
class Embedded:
    """A field that is an embedded fragment, or one of several.

    Attributes:
        argument: of the class, the field's alias.
        fragments: those it can be; the first that the environment mentions is taken.
        optional: whether it can be None.
    """

    argument: str
    fragments: tuple[Section, ...]
    optional: bool

    @property
    def needs(self) -> Needs:
        """Return what one of the fragments needs; nothing when optional."""
        return _NOTHING_NEEDED if self.optional else self.choices

    @property
    def choices(self) -> Needs:
        """Return what each of the fragments needs."""
        return tuple(names for fragment in self.fragments for names in fragment.needs)


@attrs.frozen(kw_only=True, eq=False)
class Section:
    """A config class.

    Attributes:
        config: the class.
        parts: its fields, in order.
    """

    config: type[Any]
    parts: tuple[Setting | Embedded, ...]

    @property
    def needs(self) -> Needs:
        """Return the sets of variables of which one is needed to make the class."""
        products = itertools.product(*(part.needs for part in self.parts))
        return tuple(tuple(itertools.chain.from_iterable(names)) for names in products)

    def settings(self) -> Iterator[Setting]:
        """Return the settings at any depth, in order."""
        for part in self.parts:
            if isinstance(part, Setting):
                yield part
            else:
                for fragment in part.fragments:
                    yield from fragment.settings()

    def present(self, environ: Mapping[str, str]) -> frozenset[str]:
        """Return the names of its variables, at any depth, that count as set."""
        return frozenset(
            setting.name for setting in self.settings() if setting.text(environ) is not None
        )

    def is_mentioned(self, environ: Mapping[str, str]) -> bool:
        """Return whether any needed variable that asks for it is set, or none is needed."""
        alone = {one.name for one in self.settings() if one.declared.alone_is_unset}
        asking = self.present(environ) - alone
        return any(not need or not asking.isdisjoint(need) for need in self.needs)

    def variables(
        self, owner: str, *, optional: bool = False, group: Group | None = None
    ) -> Iterator[Variable]:
        """Return the variables at any depth, in order.

        Args:
            owner: who reads them.
            optional: whether the class is made only when mentioned.
            group: that the required ones belong to.
        """
        group = _group(self.needs, optional=True) if optional else group
        for part in self.parts:
            if isinstance(part, Setting):
                yield _variable(part, owner, group)
            else:
                inner = _inner_group(part, group)
                for fragment in part.fragments:
                    yield from fragment.variables(owner, group=inner)


def read_section(config: type[Any], within: tuple[type[Any], ...] = ()) -> Section:
    """Return the tree of a config class.

    Args:
        config: attrs class whose fields are declared with `env()`, are attrs classes themselves,
            or have a default of their own.
        within: classes that embed it, outermost first.

    Raises:
        UsageError: the class cannot be read from variables.
    """
    if not attrs.has(config):
        raise UsageError(f"{config!r} cannot be loaded: expected an attrs class")
    if config in within:
        raise UsageError(f"config class {config.__name__!r} embeds itself")
    hints = read_hints(config)
    parts: list[Setting | Embedded] = []
    for field in attrs.fields(config):
        if field.init:
            hint = hints.get(field.name, Any)
            parts.extend(_read_field(config, field, hint, (*within, config)))
    return Section(config=config, parts=tuple(parts))


def _read_field(
    config: type[Any],
    field: attrs.Attribute[Any],
    hint: Any,  # noqa: ANN401 - annotations have no common type
    within: tuple[type[Any], ...],
) -> tuple[Setting | Embedded, ...]:
    members, nullable = members_of(strip_remarks(hint))
    if METADATA in field.metadata:
        return (_setting(config, field, members, nullable=nullable),)
    if members and all(attrs.has(member) for member in members):
        fragments = tuple(read_section(member, within) for member in members)
        return (
            Embedded(argument=field.alias or field.name, fragments=fragments, optional=nullable),
        )
    if field.default is attrs.NOTHING:
        raise UsageError(
            f"field {field.name!r} of config class {config.__name__!r} is not read from anywhere: "
            "declare it with env(), give it a default, or make its type an attrs class"
        )
    return ()


def _setting(
    config: type[Any],
    field: attrs.Attribute[Any],
    members: tuple[Any, ...],
    *,
    nullable: bool,
) -> Setting:
    json = is_json(members)
    if len(members) != 1 and not json:
        raise UsageError(
            f"field {field.name!r} of config class {config.__name__!r} cannot be read from one "
            "variable: expected one type, one type | None, or a union of attrs classes"
        )
    annotation = functools.reduce(operator.or_, members)
    return Setting(
        argument=field.alias or field.name,
        annotation=annotation,
        kind=_json_kind(annotation) if json else kind_of(annotation),
        default=plain_default(field.default),
        nullable=nullable,
        declared=field.metadata[METADATA],
    )


def _json_kind(annotation: Any) -> Kind:  # noqa: ANN401 - annotations have no common type
    # Imported here, as cattrs costs a start more than everything else that reads variables.
    from msp_core.config._json_content import json_kind  # noqa: PLC0415
    from msp_core.config._json_values import check_type  # noqa: PLC0415

    kind = json_kind(annotation)
    check_type(annotation)
    return kind


def _variable(setting: Setting, owner: str, group: Group | None) -> Variable:
    kind = setting.kind
    return Variable(
        name=setting.name,
        owner=owner,
        type=kind.name,
        form=kind.form,
        choices=kind.choices,
        required=setting.required and group is None,
        default=setting.default_text,
        help=setting.declared.help,
        secret=kind.secret,
        forbidden_when_msp=setting.declared.forbidden_when_msp,
        empty_is_unset=setting.declared.empty_is_unset,
        alone_is_unset=setting.declared.alone_is_unset,
        group=group if setting.required else None,
        schema=kind.schema,
    )


def _group(needs: Needs, *, optional: bool) -> Group | None:
    """Return the group of what is needed; None when nothing ever is."""
    choices = tuple(names for names in needs if names)
    if not choices:
        return None
    return Group(choices=choices, optional=optional or len(choices) < len(needs))


def _inner_group(embedded: Embedded, group: Group | None) -> Group | None:
    if embedded.optional:
        return _group(embedded.choices, optional=True)
    if group is None and len(embedded.fragments) > 1:
        return _group(embedded.choices, optional=False)
    return group
