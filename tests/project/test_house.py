"""The rules that keep every line findable: rooms, layers, sizes. docs/explanation/the-house.md."""

from __future__ import annotations

import ast
import itertools
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import msp_core

ROOT = Path(__file__).parent.parent.parent
CORE = ROOT / "msp_core"
PACKAGES = [CORE, ROOT / "msp_command", *sorted(ROOT.glob("plugins/*/msp_*"))]

# Entries of the core's own folder; rooms count as one.
ENTRIES = 32
# Modules of one room, its `__init__` left out.
MODULES = 16
LINES = 300
BODY = 40
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
# One word that is a participle, not a verb that ends like one.
PARTICIPLE = re.compile(
    r"(?!(?:need|feed|exceed|proceed|embed)$)[a-z]+ed"
    r"|bound|chosen|found|gone|given|held|hidden|hung|kept|known|left|lost|made|sent|shown|taken|told"
)
# Names that services and authors of plugins call.
PUBLIC = {"bounded", "buffered", "configured", "made", "opened"}


FILES = [path for package in PACKAGES for path in sorted(package.rglob("*.py"))]
ROOMS = [
    (package, room)
    for package in PACKAGES
    for room in sorted({path.parent for path in FILES})
    if room.is_relative_to(package)
]


PAGE = ROOT / "docs" / "explanation" / "the-house.md"
NO_ROOM = {"__init__", "__main__", "__pycache__", "py"}  # py.typed


def rows_of(section: str) -> list[str]:
    """Return the names in the first column of a section's table, in order."""
    text = PAGE.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([\w/]+)` \|", text, re.MULTILINE)


def layers() -> list[list[str]]:
    """Return the names in each layer of the core, top to bottom, as import-linter checks them."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    (core,) = (contract for contract in contracts if contract["id"] == "core")
    return [re.findall(r"\w+", layer) for layer in core["layers"]]


def name_of(path: Path) -> str:
    """Return a path as a reader knows it."""
    return str(path.relative_to(ROOT))


def run_linter(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the imports of the packages in a folder against the contracts in `pyproject.toml`."""
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    paths = [folder, *folder.glob("plugins/*")]
    return subprocess.run(  # noqa: S603 - code of this file
        [sys.executable, "-c", code, "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": ":".join(map(str, paths))},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a copy of the packages, to break."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        shutil.copytree(package, tmp_path / package.relative_to(ROOT))
    return tmp_path


def test_imports_run_downwards() -> None:
    """No room imports from one above it, nothing in circles, and no plugin from another."""
    checked = run_linter(ROOT)

    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("msp_core/_logs/values.py", "msp_core._life.life"),
        ("msp_core/_life/ledger.py", "msp_core._life.life"),
        ("msp_core/errors.py", "msp_redis"),
        ("plugins/cloudsql/msp_cloudsql/_config.py", "msp_redis"),
        ("plugins/cloudsql/msp_cloudsql/_instance/refreshed.py", "msp_cloudsql._instance.instance"),
    ],
)
def test_an_import_upwards_is_noticed(copy: Path, module: str, imported: str) -> None:
    """A late import counts as well."""
    with (copy / module).open("a") as file:
        file.write(f"\n\ndef late() -> None:\n    import {imported}\n")
    checked = run_linter(copy)

    assert checked.returncode == 1
    assert "BROKEN" in checked.stdout


def test_the_core_can_be_overlooked() -> None:
    """Who opens the core's folder sees rooms, not everything that is in them."""
    entries = [path.name for path in CORE.iterdir() if path.name != "__pycache__"]

    assert len(entries) <= ENTRIES


def test_rooms_are_small_and_flat() -> None:
    """A room holds few modules, and no room of its own below the second level."""
    for package, room in ROOMS:
        modules = [path for path in room.glob("*.py") if not path.stem.startswith("__")]

        assert len(modules) <= MODULES, name_of(room)
        assert len(room.relative_to(package).parts) <= 1, name_of(room)


def test_an_init_defines_nothing() -> None:
    """In a private room it is a docstring alone, so that what is imported late stays late."""
    for _, room in ROOMS:
        if room.name == "msp_command":  # its lines must run before anything else is imported
            continue
        docstring, *body = ast.parse((room / "__init__.py").read_text()).body
        exports = (ast.unparse(one.targets[0]) for one in body if isinstance(one, ast.Assign))
        others = [one for one in body if not isinstance(one, ast.ImportFrom | ast.Assign)]

        assert isinstance(docstring, ast.Expr), name_of(room)
        assert not (room.name.startswith("_") and body), name_of(room)
        assert set(exports) <= {"__all__", "__version__"}, name_of(room)
        assert not others, name_of(room)


def test_privacy_is_said_once() -> None:
    """Modules of a private room bear no underscore: the room's is enough."""
    private = [room for _, room in ROOMS if room.name.startswith("_")]

    assert not [name_of(path) for room in private for path in room.glob("_[!_]*.py")]


def test_files_and_functions_are_short() -> None:
    """What does not fit on a few screens is two things."""
    for path in FILES:
        text = path.read_text()
        functions = (node for node in ast.walk(ast.parse(text)) if isinstance(node, FUNCTIONS))

        assert len(text.splitlines()) < LINES, name_of(path)
        assert not [node.name for node in functions if count_lines(node) > BODY], name_of(path)


def count_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines the body takes, its docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_a_class_name_stands_for_one_thing() -> None:
    """Nobody must look up which of two classes of the same name is meant."""
    for package in PACKAGES:
        names = Counter(
            node.name
            for path in package.rglob("*.py")
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        )

        assert not [name for name, count in names.items() if count > 1], name_of(package)


def test_the_page_names_every_room_of_the_core() -> None:
    """Who carries on finds each in one table; from top to bottom, as they may import."""
    entries = {path.name.partition(".")[0] for path in CORE.iterdir()} - NO_ROOM

    assert sorted(rows_of("The core")) == sorted(entries)
    assert rows_of("The core") == [name for layer in layers() for name in layer]


def test_the_page_draws_the_layers_as_they_are() -> None:
    """The picture and what is checked are the same."""
    drawn = re.findall(r'^ +l\d+\["(.+)"\]$', PAGE.read_text(), re.MULTILINE)

    assert [re.findall(r"\w+", box) for box in drawn] == layers()


def test_the_page_names_every_room_of_the_plugins() -> None:
    """Neither one that is missing nor one that is gone."""
    rooms = [room for package, room in ROOMS if package.is_relative_to(ROOT / "plugins")]
    names = [str(room.relative_to(ROOT / "plugins").as_posix()).partition("/")[2] for room in rooms]

    assert sorted(rows_of("The plugins")) == sorted(names)


def test_functions_are_verbs() -> None:
    """A bare participle says neither what is done nor what comes back; `name_of`, `make_x` do."""
    names = {
        node.name.strip("_")
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, FUNCTIONS) and not is_property(node)
    }

    assert {name for name in names if PARTICIPLE.fullmatch(name)} <= PUBLIC


def is_property(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether it is read as an attribute, which may be an adjective."""
    return any("property" in ast.unparse(decorator) for decorator in function.decorator_list)


def test_constants_are_documented_above() -> None:
    """A text below is for what the API page reads: aliases of types, and the core's own names."""
    for path in FILES:
        for above, below in itertools.pairwise(ast.parse(path.read_text()).body):
            if not isinstance(above, ast.Assign | ast.AnnAssign) or not is_text(below):
                continue
            name = ast.unparse(above.targets[0] if isinstance(above, ast.Assign) else above.target)
            is_alias = isinstance(above.value, ast.Subscript | ast.Name)

            assert is_alias or name in msp_core.__all__, f"{name_of(path)}: {name}"


def is_text(node: ast.stmt) -> bool:
    """Return whether the statement is a text and nothing else."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
