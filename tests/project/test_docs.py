"""The documentation is complete, its links lead somewhere, and its examples run."""

from __future__ import annotations

import ast
import inspect
import json
import os
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import pytest

import msp_bigquery
import msp_cloudsql
import msp_core
import msp_opentelemetry
import msp_redis
import msp_sentry
from docs import generate
from msp_core import Diagnostics, Health, MSPError, errors, hookspecs
from msp_core.assembly._core_config import CoreConfig, ServiceVariables
from msp_core.assembly._job_variables import JobVariables
from msp_core.config import describe
from tests.documentation import ROOT, Block, blocks, pages
from tests.fresh_environment import FreshEnvironment
from tests.walkthrough import Walkthrough

HOOKS = [name for name in vars(hookspecs) if name.startswith("msp_")]
REFERENCE = ROOT / "docs" / "reference"
BLOCKS = [block for page in pages() for block in blocks(page)]
REPOSITORY = "https://github.com/msp-runtime/msp/blob/main/"
WALKTHROUGHS = sorted(
    {block.page for block in BLOCKS if {"install", "run", "serve"} & set(block.marks)}
)


def reference(name: str) -> str:
    """Return the text of a page of docs/reference."""
    return (REFERENCE / f"{name}.md").read_text()


@pytest.mark.parametrize("page", generate.pages(), ids=lambda path: path.name)
def test_generated_page_is_fresh(page: Path) -> None:
    """What follows from the code was regenerated after the code changed: `make docs`."""
    assert page.read_text() == generate.pages()[page]


OURS = re.compile(r"`((?:msp_\w+|tests|docs|plugins|mutants|benchmarks)/[\w./-]*\w/?)(?:::[^`]*)?`")
FOLDERS = [ROOT, ROOT / "tests", *(ROOT / "plugins").iterdir()]


@pytest.mark.parametrize("page", pages(), ids=str)
def test_named_file_exists(page: Path) -> None:
    """A page names a file or folder of ours only where it is, not where it was."""
    named = OURS.findall((ROOT / page).read_text())

    assert not [name for name in named if not any((top / name).exists() for top in FOLDERS)]


@pytest.mark.parametrize("page", pages(), ids=str)
def test_named_module_exists(page: Path) -> None:
    """The same of a module, or what is in one, that is named with dots."""
    for name in re.findall(r"`(msp_\w+(?:\.\w+)+)`", (ROOT / page).read_text()):
        pkgutil.resolve_name(name)


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_is_documented(hook: str) -> None:
    """Every hook has a section with an example that implements it."""
    _, found, section = reference("hooks").partition(f"\n## {hook}\n")

    assert found
    assert f"def {hook}(" in section.partition("\n## ")[0]


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_docstring_has_five_parts(hook: str) -> None:
    """A hook's docstring says when, with what, what to return, what if it raises, the order."""
    doc = inspect.getdoc(getattr(hookspecs, hook)) or ""

    assert re.findall(r"^(When|With|Return|If it raises|Order): ", doc, re.MULTILINE) == [
        "When",
        "With",
        "Return",
        "If it raises",
        "Order",
    ]


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_is_tested(hook: str) -> None:
    """Every hook is implemented somewhere in the tests."""
    here = Path(__file__)
    tests = (path for path in (ROOT / "tests").rglob("test_*.py") if path != here)

    assert any(hook in path.read_text() for path in tests)


def declared_variables() -> Iterator[str]:
    """Yield the names of all variables that core and plugins read."""
    integrations = (
        msp_cloudsql.msp_integration(),
        msp_redis.msp_integration(),
        msp_bigquery.msp_integration(),
        msp_sentry.msp_integration(),
        msp_opentelemetry.msp_integration(),
    )
    classes = (
        CoreConfig,
        JobVariables,
        ServiceVariables,
        *(record.config for record in integrations),
    )
    for config_class in classes:
        yield from (variable.name for variable in describe(config_class))


@pytest.mark.parametrize("variable", [*declared_variables(), "SANITY_CHECK", "NO_COLOR"])
def test_variable_is_documented(variable: str) -> None:
    """Every variable is in the reference, and says what it is for."""
    assert f"`{variable}`" in reference("environment")


def test_every_variable_has_a_help_text() -> None:
    """Help, reference and problem reports show what a variable is for."""
    classes = (CoreConfig, JobVariables, ServiceVariables, msp_redis.msp_integration().config)
    silent = [each.name for one in classes for each in describe(one) if not each.help]

    assert not silent


def error_classes() -> list[str]:
    """Return the names of the errors that are raised on purpose."""
    classes = inspect.getmembers(errors, inspect.isclass)
    return [name for name, found in classes if issubclass(found, Exception)]


def is_ours(name: str) -> bool:
    """Return whether that error carries an exit code."""
    return issubclass(getattr(errors, name), MSPError)


@pytest.mark.parametrize("name", error_classes())
def test_error_is_documented(name: str) -> None:
    """Every error has a section that says what to do."""
    assert f"\n## {name}\n" in reference("errors")


@pytest.mark.parametrize("name", [name for name in error_classes() if is_ours(name)])
def test_exit_code_is_documented(name: str) -> None:
    """The row of the exit code that an error carries names it."""
    code = getattr(errors, name).exit_code
    (row,) = re.findall(rf"^\| {code} \|.*$", reference("exit-codes"), re.MULTILINE)

    assert f"`{name}`" in row.split("|")[4]


def test_endpoints_are_documented() -> None:
    """Every path that the diagnostics answer is in the table."""
    diagnostics = Diagnostics(version="1", secret=None, health=Health(), msp=False)

    for path in diagnostics._routes:
        assert f"| `{path}` |" in reference("endpoints")


@pytest.mark.parametrize("name", msp_core.__all__)
def test_public_name_is_documented(name: str) -> None:
    """Every public name is in the reference."""
    assert f"| `{name}` |" in reference("api")


def test_public_names_have_docstrings() -> None:
    """Every public class, function and method says what it is."""
    assert not list(undocumented(msp_core))


def undocumented(module: ModuleType) -> Iterator[str]:
    """Yield what has no docstring among the names a module exports."""
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            members = vars(value) if inspect.isclass(value) else {}
            public = {
                key: member
                for key, member in members.items()
                if inspect.isfunction(member) and not key.startswith("_")
            }
            for key, member in {name: value, **public}.items():
                if not member.__doc__:
                    yield f"{name}: {key}"


def links(page: Path) -> Iterator[str]:
    """Yield the links of a page into this repository, relative to the page.

    What an index shows too, the READMEs, names the repository in full.
    """
    text = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text(), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith(REPOSITORY):
            yield os.path.relpath(ROOT / target.removeprefix(REPOSITORY), ROOT / page.parent)
        elif "://" not in target:
            yield target


def anchors(page: Path) -> set[str]:
    """Return what a link may point at inside a page."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", pages(), ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file that exists, and a title in it."""
    for link in links(page):
        target, _, anchor = link.partition("#")
        file = (ROOT / page.parent / target) if target else ROOT / page

        assert file.exists(), link
        assert not anchor or anchor in anchors(file), link


def test_every_page_can_be_found() -> None:
    """Every page of docs is linked from another one."""
    linked = {
        (ROOT / page.parent / link.partition("#")[0]).resolve()
        for page in pages()
        for link in links(page)
    }
    lost = [page for page in pages() if page.parts[0] == "docs" and ROOT / page not in linked]

    assert not lost


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.language == "python"], ids=str
)
def test_python_example_runs(block: Block) -> None:
    """A Python example can be pasted; one that belongs to a file is at least valid."""
    code = compile(block.text, str(block), "exec", dont_inherit=True)
    if block.file is None:
        exec(code, {"__name__": "example"})  # noqa: S102 - our own page


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_block_is_well_formed(block: Block) -> None:
    """Every block names its language, and data can be parsed."""
    match block.language:
        case "toml":
            tomllib.loads(block.text)
        case "json":
            json.loads(block.text)
        case "python":
            ast.parse(block.text)
        case "console":
            assert block.text.startswith("$ ")
        case _:
            assert block.language in {"mermaid", "sql", "text"}


@pytest.mark.parametrize("page", WALKTHROUGHS, ids=str)
def test_page_does_what_it_says(
    page: Path, tmp_path: Path, fresh_environment: FreshEnvironment
) -> None:
    """Whoever follows the page from top to bottom sees what it shows."""
    Walkthrough(tmp_path, fresh_environment).follow(page)


@pytest.mark.parametrize("page", ["README.md", "docs/howto/five-plugins.md"])
def test_shown_service_is_small(page: str) -> None:
    """A service, its declaration included, with health or with all five plugins stays small.

    The three lines that name the build backend say nothing of the service.
    """
    files = {block.file: block.text for block in blocks(Path(page)) if block.file is not None}
    code = files["pyproject.toml"] + files["guestbook.py"]
    lines = [line for line in code.splitlines() if line.strip()]

    assert {Path(name).suffix for name in files} <= {".toml", ".py", ".json"}
    assert lines[0] == "[build-system]"
    assert len(lines) - 3 <= 25


def test_commands_are_documented() -> None:
    """Every command of `msp`, those of other distributions included, is in the reference."""
    names = {entry.name for entry in entry_points(group="msp.commands")}
    names |= {"run", "job", "env", "plugins", "check"}

    for name in names:
        assert f"\n## msp {name}\n" in reference("commands")
