"""Loading the config classes of core, plugins and service from one mapping of variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import attrs

from msp_core.config._go import parse_bool
from msp_core.config._hiding import hidden_texts
from msp_core.config._near_miss import near_misses
from msp_core.config._reading import MISSING, Reading
from msp_core.config._tree import read_section
from msp_core.config._variables import Variable, merge
from msp_core.errors import Problem

ConfigT = TypeVar("ConfigT")


class Loading:
    """Config classes loaded one after the other, with all their problems collected."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Load from that mapping of variables; it is only read."""
        self._environ = environ
        self._msp = is_msp(environ)
        self._problems: list[Problem] = []
        self._ignored: list[Problem] = []
        self._variables: list[Variable] = []

    def section(
        self, config: type[ConfigT], owner: str, *, optional: bool = False, hint: str = ""
    ) -> ConfigT | None:
        """Return an instance of a config class; None when there are problems.

        Args:
            config: attrs class declared with `env()`.
            owner: who needs it: `core`, `plugin 'redis', msp-redis 0.1.0`, `service 'guestbook'`.
            optional: return None as well when none of its required variables is set. What is set
                of the others is checked all the same.
            hint: what to say about a variable that is missing.

        Raises:
            UsageError: the class cannot be loaded from variables.
        """
        section = read_section(config)
        self._variables.extend(section.variables(owner, optional=optional))
        reading = Reading(self._environ, owner, msp=self._msp)
        instance: ConfigT | None = (
            reading.load_optional(section) if optional else reading.load(section, hint)
        )
        self._problems.extend(reading.problems)
        self._ignored.extend(reading.ignored)
        return None if reading.problems else instance

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return the problems of all classes so far, in order of declaration."""
        if all(problem.wrong != MISSING for problem in self._problems):
            return tuple(self._problems)
        strays = {name: stray for stray, name in self._strays().items()}
        return tuple(
            _with_hint(problem, strays.get(problem.variable)) for problem in self._problems
        )

    @property
    def ignored(self) -> tuple[Problem, ...]:
        """Return what is wrong with values that are ignored, in order of declaration."""
        return tuple(self._ignored)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Return the variables of all classes so far, in order of declaration, each once."""
        return merge(self._variables)

    @property
    def secrets(self) -> frozenset[str]:
        """Return the texts to hide: values of secret variables, and passwords in them and in URLs.

        Values that have problems, or that no class ended up using, are among them.
        """
        return frozenset().union(*map(self._hidden_texts_of, self._variables))

    def near_misses(self) -> tuple[str, ...]:
        """Return a sentence for each variable that looks like a misspelt name of a declared one."""
        return tuple(
            f"{stray} is set but read by nobody: did you mean {name}?"
            for stray, name in self._strays().items()
        )

    def _strays(self) -> dict[str, str]:
        return near_misses(self._environ, [variable.name for variable in self._variables])

    def _hidden_texts_of(self, variable: Variable) -> frozenset[str]:
        text = self._environ.get(variable.name, "")
        return hidden_texts(text, variable.type, variable.schema, secret=variable.secret)


def is_msp(environ: Mapping[str, str]) -> bool:
    """Return whether `MSP` says that this is a live platform."""
    # What is wrong with MSP itself is reported where it is declared.
    try:
        return parse_bool(environ.get("MSP", "false"))
    except ValueError:
        return False


def _with_hint(problem: Problem, stray: str | None) -> Problem:
    if stray is None or problem.wrong != MISSING:
        return problem
    hint = f"{stray} is set and read by nobody, is it misspelt?"
    return attrs.evolve(problem, hint=f"{problem.hint}; {hint}" if problem.hint else hint)
