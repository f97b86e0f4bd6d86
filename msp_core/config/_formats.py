"""The variables of a service as help, as a table, as Markdown, as a dotenv file and as JSON."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import attrs

from msp_core._text.table import TextTable, markdown_table
from msp_core._text.terminal import PLAIN, Terminal
from msp_core.config._variables import Variable

_COLOURS = {"yes": "green", "(required)": "yellow"}


def variable_table(
    variables: Sequence[Variable], environ: Mapping[str, str], terminal: Terminal = PLAIN
) -> str:
    """Return an aligned table, a heading for each owner, whether each variable is set.

    Args:
        variables: in the order to show them.
        environ: shows which are set.
        terminal: what to fit the table to.
    """
    rows = [
        (
            f"  {variable.name}",
            variable.type,
            _default(variable),
            "yes" if variable.is_set(environ) else "-",
            _meaning(variable),
        )
        for variable in variables
    ]
    table = TextTable(
        header=("  variable", "type", "default", "set", "meaning"),
        rows=rows,
        terminal=terminal,
        colours=_COLOURS,
    )
    header, *lines = table.lines()
    text = [header]
    for owner, group in itertools.groupby(zip(variables, lines, strict=True), _owner):
        text += [terminal.paint(owner, "bold"), *(line for _, line in group)]
    return "\n".join(text)


def variable_markdown(variables: Sequence[Variable]) -> str:
    """Return a section with a table for each owner."""
    sections = []
    for owner, group in itertools.groupby(variables, lambda variable: variable.owner):
        rows = [(f"`{one.name}`", one.type, _markdown_default(one), _meaning(one)) for one in group]
        table = markdown_table(("variable", "type", "default", "meaning"), rows)
        sections.append(f"## {owner}\n\n{table}")
    return "\n\n".join(sections)


def variable_dotenv(variables: Sequence[Variable]) -> str:
    """Return a file to fill in; what has a default or may be left out is commented out."""
    blocks = []
    for owner, group in itertools.groupby(variables, lambda variable: variable.owner):
        blocks.append(f"### {owner}")
        blocks += ["\n".join([f"# {_about(one)}", _assignment(one)]) for one in group]
    return "\n\n".join(blocks)


@attrs.frozen(kw_only=True)
class ListedVariable(Variable):
    """A variable as `msp env --format json` prints it.

    Attributes:
        set: whether it counts as set in this environment.
    """

    set: bool


def list_variables(
    variables: Sequence[Variable], environ: Mapping[str, str]
) -> tuple[ListedVariable, ...]:
    """Return the variables, and whether each is set."""
    return tuple(
        ListedVariable(**attrs.asdict(one, recurse=False), set=one.is_set(environ))
        for one in variables
    )


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


def _owner(pair: tuple[Variable, str]) -> str:
    return pair[0].owner


def _default(variable: Variable) -> str:
    if variable.default is not None:
        return variable.default
    return f"({variable.presence.partition(':')[0]})"


def _markdown_default(variable: Variable) -> str:
    return _default(variable) if variable.default is None else f"`{variable.default}`"


def _meaning(variable: Variable) -> str:
    return "; ".join([*filter(None, [variable.help]), *_rules(variable)])


def _rules(variable: Variable) -> Iterator[str]:
    together = variable.presence.partition(": ")[2]
    if together:
        yield f"set {together}"
    if variable.choices:
        yield f"one of {', '.join(variable.choices)}"
    if variable.forbidden_when_msp:
        yield "not allowed with MSP=true"
    if variable.empty_is_unset:
        yield "empty counts as unset"


def _about(variable: Variable) -> str:
    return ": ".join(filter(None, [variable.type, _meaning(variable)]))


def _assignment(variable: Variable) -> str:
    default = "" if variable.default is None or variable.secret else variable.default
    return f"{'' if variable.required else '# '}{variable.name}={default}"
