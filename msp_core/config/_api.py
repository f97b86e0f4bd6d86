"""What is done with declared variables: they are read, described, and looked up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from msp_core.config._loading import Loading
from msp_core.config._tree import read_section
from msp_core.config._variables import Variable, merge
from msp_core.errors import ConfigError, Problem

ConfigT = TypeVar("ConfigT")

_logger = logging.getLogger("msp.config")


def _warn(problem: Problem) -> None:
    """Log that a value is ignored."""
    _logger.warning("%s", problem, extra={"variable": problem.variable})


def load(
    config_class: type[ConfigT],
    environ: Mapping[str, str],
    *,
    owner: str = "service",
    on_ignored: Callable[[Problem], object] = _warn,
) -> ConfigT:
    """Load a config class from variables.

    Args:
        config_class: attrs class declared with `env()`.
        environ: variables by name; `os.environ` is never read here.
        owner: who needs the variables, for the texts of problems.
        on_ignored: (problem) -> anything; called for each value that is ignored, see
            `invalid_is_unset`. Default: a warning in the log.

    Raises:
        ConfigError: with all problems; its text holds no values.
        UsageError: the class itself cannot be loaded from variables.
    """
    loading = Loading(environ)
    config = loading.section(config_class, owner)
    for problem in loading.ignored:
        on_ignored(problem)
    if config is None:
        raise ConfigError(loading.problems)
    return config


def describe(config_class: type[Any], *, owner: str = "service") -> tuple[Variable, ...]:
    """Return every variable that a config class reads, optional ones too, in order, each once.

    Args:
        config_class: attrs class declared with `env()`.
        owner: who reads them.

    Raises:
        UsageError: the class cannot be loaded from variables.
    """
    return merge(read_section(config_class).variables(owner))


def parse_environ(lines: Iterable[str]) -> dict[str, str]:
    """Return the variables of a list of `NAME=VALUE`; the later of two with the same name counts.

    Args:
        lines: split at the first `=`, and otherwise taken as they are.

    Raises:
        ConfigError: entries have no `=`; they are named by their number, from 1.
    """
    environ: dict[str, str] = {}
    problems: list[Problem] = []
    for number, line in enumerate(lines, start=1):
        name, separator, value = line.partition("=")
        if separator:
            environ[name] = value
        else:
            problems.append(
                Problem(
                    variable=f"entry {number}",
                    owner="",
                    wrong="has no '='",
                    expected="NAME=VALUE",
                )
            )
    if problems:
        raise ConfigError(problems)
    return environ
