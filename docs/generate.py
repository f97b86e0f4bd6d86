"""Puts into docs/reference and the plugins' pages what follows from the code; `make docs`.

Generated text stands between a pair of comments, `<!-- begin: NAME -->` and `<!-- end: NAME -->`.
`tests/project/test_docs.py` fails when it is stale.
"""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msp_bigquery
import msp_cloudsql
import msp_core
import msp_opentelemetry
import msp_redis
import msp_sentry
from msp_core import API, Command, Integration, Role, hookspecs
from msp_core._cli.main import _BUILT_IN
from msp_core._plugins.command_hooks import extra_commands, load_command
from msp_core._text.table import markdown_table
from msp_core.assembly._core_config import CoreConfig, ServiceVariables
from msp_core.assembly._job_variables import JobVariables
from msp_core.config import Variable, describe
from msp_core.config._formats import variable_markdown

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference"


def main() -> None:
    """Write every page that changed."""
    for path, text in pages().items():
        if path.read_text() != text:
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")  # noqa: T201 - what the command did


def pages() -> dict[Path, str]:
    """Return the text of every page that has generated parts."""
    parts = {
        "api.md": {"names": names()},
        "commands.md": commands(),
        "environment.md": {"variables": variables()},
        "hooks.md": hooks(),
        "roles.md": {"roles": "\n\n".join(map(section, filter(needs, integrations())))},
    }
    reference = {REFERENCE / name: filled(REFERENCE / name, part) for name, part in parts.items()}
    return reference | dict(map(plugin_page, filter(needs, integrations())))


def plugin_page(record: Integration[Any, Any]) -> tuple[Path, str]:
    """Return the page of a plugin with the roles and APIs put in."""
    path = ROOT / "plugins" / record.name / "README.md"
    return path, filled(path, {"roles": needs(record)})


def integrations() -> tuple[Integration[Any, Any], ...]:
    """Return the records of all plugins."""
    return (
        msp_cloudsql.msp_integration(),
        msp_redis.msp_integration(),
        msp_bigquery.msp_integration(),
        msp_sentry.msp_integration(),
        msp_opentelemetry.msp_integration(),
    )


def section(record: Integration[Any, Any]) -> str:
    """Return a section with the roles and APIs that a plugin needs."""
    return f"## msp-{record.name}\n\n{needs(record)}"


def needs(record: Integration[Any, Any]) -> str:
    """Return the roles and APIs of a plugin as a table; nothing when it needs none."""
    named: list[Role | API] = [*record.roles, *record.apis]
    rows = [(f"`{need.name}`", need.purpose, need.when or "always") for need in named]
    return markdown_table(("role or API", "for", "needed when"), rows) if rows else ""


def filled(path: Path, parts: Mapping[str, str]) -> str:
    """Return a page with its parts put in."""
    page = path.read_text()
    for part, text in parts.items():
        begin, end = f"<!-- begin: {part} -->\n", f"<!-- end: {part} -->\n"
        head, _, rest = page.partition(begin)
        if end not in rest:
            raise SystemExit(f"{path.name} has no place for {part}: add the lines\n{begin}{end}")
        page = f"{head}{begin}\n{text}\n\n{end}" + rest.partition(end)[2]
    return page


def variables() -> str:
    """Return all variables of core and plugins, as `msp env` shows those of one service."""
    classes = (ServiceVariables, JobVariables, CoreConfig)
    found = [variable for one in classes for variable in _of("core", one)]
    for record in integrations():
        found += _of(record.name, record.config)
    return variable_markdown(found)


def _of(part: str, config: type) -> tuple[Variable, ...]:
    return describe(config, owner=f"msp-{part}")


def names() -> str:
    """Return the public names of `msp_core` as a table."""
    rows = [
        (f"`{name}`", _summary(name, getattr(msp_core, name)), f"`{_home(name)}`")
        for name in sorted(msp_core.__all__, key=str.lower)
    ]
    return markdown_table(("name", "is", "defined in"), rows)


def _summary(name: str, value: object) -> str:
    """Return what the docstring says first; of an alias, the text that stands under it."""
    own = inspect.isclass(value) or inspect.isroutine(value)
    text = inspect.getdoc(value) if own else _alias_doc(name)
    if not text:
        raise SystemExit(f"msp_core.{name} has no docstring")
    return text.split("\n\n")[0].replace("\n", " ").removesuffix(".")


def _alias_doc(name: str) -> str | None:
    """Return the string literal below an assignment such as `URL = Annotated[…]`."""
    pattern = re.compile(rf'^{name}\b[^=\n]* = .*?^"""(.*?)"""', re.MULTILINE | re.DOTALL)
    sources = (path.read_text() for path in Path(msp_core.__file__).parent.rglob("*.py"))
    return next((match[1] for source in sources if (match := pattern.search(source))), None)


def _home(name: str) -> str:
    """Return the module from which `msp_core` takes a name; itself where that one is private."""
    imports = re.findall(r"from (\S+) import (\([^)]*\)|.*)", inspect.getsource(msp_core))
    module = next(module for module, taken in imports if re.search(rf"\b{name}\b", taken))
    return "msp_core" if "._" in module else str(module)


def commands() -> dict[str, str]:
    """Return each command's summary and arguments, those of other distributions included."""
    known = [make({}) for make in _BUILT_IN]
    known += [load_command(entry) for entry in extra_commands().values()]
    return {command.name: _command(command) for command in known}


def _command(command: Command) -> str:
    """Return what `--help` says, in a form that does not change with Python's version."""
    parser = argparse.ArgumentParser(prog=f"msp {command.name}", add_help=False)
    command.configure(parser)
    rows = [
        (f"`{_argument(action)}`", (action.help or "") % {"default": action.default})
        for action in parser._actions  # noqa: SLF001 - argparse has no public way to list them
    ]
    summary = f"{command.help[0].upper()}{command.help[1:]}."
    return f"{summary}\n\n{markdown_table(('argument', 'meaning'), rows)}"


def _argument(action: argparse.Action) -> str:
    """Return an argument as it is typed: `NAME`, `--format {table,json}`."""
    choices = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else None
    value = "" if action.nargs == 0 else str(action.metavar or choices or action.dest.upper())
    return " ".join([*action.option_strings[-1:], value]).strip()


def hooks() -> dict[str, str]:
    """Return the docstring of every hook."""
    members = inspect.getmembers(hookspecs, inspect.isfunction)
    return {name: _hook(hook) for name, hook in members if name.startswith("msp_")}


def _hook(hook: object) -> str:
    """Return a hook's first line, and a list of the five parts."""
    summary, _, parts = (inspect.getdoc(hook) or "").partition("\n\n")
    part = re.compile(r"^(When|With|Return|If it raises|Order): ", re.MULTILINE)
    listed = part.sub(r"* *\1*: ", parts)
    return f"{summary}\n\n" + re.sub(r"\n(?!\* )", "\n  ", listed)


if __name__ == "__main__":
    main()
