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


def _bullet(variable: Variable) -> str:
    return " ".join([f'- "{variable.name}":', *filter(None, [variable.help, *_marks(variable)])])


def _marks(variable: Variable) -> Iterator[str]:
    default = variable.default
    yield f"({variable.presence})" if default is None else f'(default: "{default}")'
    if variable.forbidden_when_msp:
        yield "(not allowed with MSP=true)"
    if variable.empty_is_unset:
        yield "(empty counts as unset)"
    if variable.secret:
        yield "(secret)"
