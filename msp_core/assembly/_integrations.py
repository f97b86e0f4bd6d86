"""AssembledIntegration: one integration of a declared plugin, with what the environment gave it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from msp_core._plugins.declaration import DeclaredPlugin
from msp_core.config import Variable
from msp_core.config._variables import Group
from msp_core.errors import Problem
from msp_core.integration import Integration


@attrs.frozen(kw_only=True, eq=False)
class AssembledIntegration:
    """One integration of a declared plugin.

    Attributes:
        plugin: that provides it.
        record: what the plugin's `msp_integration` returned.
        config: its loaded fragment; None when it is not configured.
        variables: that its fragment declares.
        needed: whether the service says that it cannot do without.
        ignored: what is wrong with the values that ask for it and are ignored.
    """

    plugin: DeclaredPlugin
    record: Integration[Any, Any]
    config: Any = attrs.field(repr=False)
    variables: tuple[Variable, ...] = attrs.field(repr=False)
    needed: bool = False
    ignored: tuple[Problem, ...] = ()

    @property
    def configured(self) -> bool:
        """Whether the environment asks for it."""
        return self.config is not None

    @property
    def enabled(self) -> bool:
        """Whether it is configured by values that will do; otherwise its client does nothing."""
        return self.configured and not self.ignored

    @property
    def needs(self) -> tuple[Group, ...]:
        """What it cannot be configured without: a variable alone, or one of several choices."""
        groups = (
            variable.group or Group(choices=((variable.name,),), optional=not variable.required)
            for variable in self.variables
        )
        return tuple(dict.fromkeys(group for group in groups if not group.optional))

    def asked_by(self, environ: Mapping[str, str]) -> tuple[str, ...]:
        """Return the names of the variables that are set and ask for it, in declared order.

        One with a default asks for nothing; one that counts as unset alone never does.

        Args:
            environ: the variables.
        """
        return tuple(
            variable.name
            for variable in self.variables
            if (variable.required or variable.group)
            and not variable.alone_is_unset
            and variable.is_set(environ)
        )
