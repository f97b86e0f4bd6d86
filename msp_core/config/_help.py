"""The text of a service's `--help`: its name, its version, every variable it reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msp_core.config._variables import Variable


def render_help(name: str, version: str, kind: str, variables: Iterable[Variable]) -> str:
    """Return the help text, without a newline at the end.

    Args:
        name: of the service or job.
        version: of the service or job.
        kind: `service` or `job`.
        variables: in the order to show them; of two with one name the first is shown.
    """
    once: dict[str, Variable] = {}
    for variable in variables:
        once.setdefault(variable.name, variable)
    return "\n".join(
        [
            f"{kind.upper()}: {name}",
            f"VERSION: {version}",
            "CONFIGURATION OPTIONS:",
            *(_bullet(variable) for variable in once.values()),
        ]
    )


def presence(variable: Variable) -> str:
    """Return whether a variable must be set, and with which others: `optional`, `required`.

    A variable that is needed only with others names the choices: `optional: PGDSN, or PGINSTANCE
    with PGUSER`.
    """
    group = variable.group
    if group is None:
        return "required" if variable.required else "optional"
    word = "optional" if group.optional else "required"
    alone = group.choices == ((variable.name,),)
    return word if alone else f"{word}: {group}"


def _bullet(variable: Variable) -> str:
    return " ".join([f'- "{variable.name}":', *filter(None, [variable.help, *_marks(variable)])])


def _marks(variable: Variable) -> Iterator[str]:
    default = variable.default
    yield f"({presence(variable)})" if default is None else f'(default: "{default}")'
    if variable.forbidden_when_msp:
        yield "(not allowed with MSP=true)"
    if variable.empty_is_unset:
        yield "(empty counts as unset)"
    if variable.secret:
        yield "(secret)"
