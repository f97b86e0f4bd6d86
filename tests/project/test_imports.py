"""What an import may do: nothing, cheaply, and in the allowed direction only."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import msp_core

ROOT = Path(__file__).parent.parent.parent
PLUGINS = sorted((ROOT / "plugins").glob("*/msp_*"))
PLUGIN_PACKAGES = {folder.name for folder in PLUGINS}
VENDORS = {
    "a2wsgi",
    "cattrs",
    "fastapi",
    "google",
    "grpc",
    "h11",
    "httpx",
    "opentelemetry",
    "prometheus_client",
    "psycopg",
    "psycopg_pool",
    "redis",
    "requests",
    "sentry_sdk",
    "starlette",
    "uvicorn",
    "uvloop",
}


def imported(package: Path) -> Iterator[tuple[Path, str]]:
    """Yield (file, dotted name) of everything that is imported anywhere in a package."""
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path} imports relatively"

                for alias in node.names:
                    yield path, f"{node.module}.{alias.name}"


def modules(package: Path) -> list[str]:
    """Return the dotted names of a package's modules, `__main__` left out."""
    files = (path.relative_to(package.parent).with_suffix("") for path in package.rglob("*.py"))
    return [
        ".".join(file.parts).removesuffix(".__init__") for file in files if file.stem != "__main__"
    ]


def run(code: str) -> str:
    """Return what a fresh interpreter prints; it must not fail."""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - code of this file

    assert done.returncode == 0, done.stderr

    return done.stdout


def test_core_pulls_no_vendor_library() -> None:
    """`import msp_core` costs what the core costs, whatever else is installed."""
    loaded = run("import sys, msp_core; print(*{name.split('.')[0] for name in sys.modules})")

    assert not VENDORS & set(loaded.split())


@pytest.mark.parametrize("package", PLUGINS, ids=lambda folder: folder.name)
def test_plugin_pulls_no_vendor_library(package: Path) -> None:
    """A plugin that is declared but not configured costs no vendor library."""
    code = f"import sys, {package.name}; print(*{{name.split('.')[0] for name in sys.modules}})"

    assert not VENDORS & set(run(code).split())


@pytest.mark.parametrize("package", [ROOT / "msp_core", *PLUGINS], ids=lambda folder: folder.name)
def test_nothing_happens_at_import(package: Path) -> None:
    """Importing every module reads no variable, prepares no logging, starts no thread or loop."""
    run(f"""
import logging, os, signal, sys, threading

class Watched(dict):
    def __getitem__(self, name):
        frame = sys._getframe(1)
        while frame.f_globals["__name__"] in ("os", "_collections_abc"):
            frame = frame.f_back
        if frame.f_globals["__name__"].startswith("msp_"):
            raise SystemExit(f"{{frame.f_globals['__name__']}} reads {{name}}")
        return super().__getitem__(name)

    def get(self, name, default=None):
        return self[name] if name in self else default

    def __contains__(self, name):
        try:
            return bool(self[name]) or True
        except KeyError:
            return False

os.environ = Watched(os.environ)
before = logging.root.handlers[:], logging.root.level, signal.getsignal(signal.SIGTERM)
for name in {modules(package)!r}:
    __import__(name)
after = logging.root.handlers[:], logging.root.level, signal.getsignal(signal.SIGTERM)
assert before == after, "logging or signals changed"
assert threading.active_count() == 1, "a thread was started"
""")


def test_core_imports_no_plugin() -> None:
    """The core knows no plugin; a third party's is equal to ours."""
    wrong = [
        f"{path}: {name}"
        for path, name in imported(ROOT / "msp_core")
        if name.split(".")[0] in PLUGIN_PACKAGES
    ]

    assert not wrong


@pytest.mark.parametrize("package", PLUGINS, ids=lambda folder: folder.name)
def test_plugin_imports_public_core_only(package: Path) -> None:
    """A plugin uses no private name of the core and no other plugin, so anybody can write one."""
    wrong = []
    for path, name in imported(package):
        first, *rest = name.split(".")
        private = first == "msp_core" and any(part.startswith("_") for part in rest)
        if private or (first in PLUGIN_PACKAGES and first != package.name):
            wrong.append(f"{path}: {name}")

    assert not wrong


def test_versions_are_equal() -> None:
    """All distributions share one version, in metadata and in code."""
    files = [ROOT / "pyproject.toml", *ROOT.glob("plugins/*/pyproject.toml")]
    files.append(ROOT / "example" / "pyproject.toml")
    versions = {tomllib.loads(path.read_text())["project"]["version"] for path in files}
    from msp_example import __version__  # noqa: PLC0415 - the core's other tests do not need it

    assert versions == {__version__}


def test_exports_are_complete() -> None:
    """`__all__` is what a reader finds in the package, every name of it; the linter sorts it."""
    public = {
        name
        for name, value in vars(msp_core).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }

    assert len(msp_core.__all__) == len(set(msp_core.__all__))
    assert set(msp_core.__all__) == public


def test_map_names_every_public_module() -> None:
    """The package's docstring is its map: no public module is missing from it."""
    public = {path.stem for path in (ROOT / "msp_core").glob("[!_]*.py")}
    public |= {path.parent.name for path in (ROOT / "msp_core").glob("[!_]*/__init__.py")}
    missing = {name for name in public if f"`{name}`" not in (msp_core.__doc__ or "")}

    assert not missing
