"""The example copied, as its pages say: in both structures, as a wheel, and as an image."""

from __future__ import annotations

import ast
import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import attrs
import httpx
import pytest

from msp_core.dev import free_port
from tests.documentation import ROOT, blocks, wait_ready
from tests.fresh_environment import FreshEnvironment, words_of

EXAMPLE = ROOT / "example"
PACKAGE = EXAMPLE / "msp_example"
OUTSIDE = shutil.ignore_patterns("__pycache__", ".msp", "wheels")
OWN_REPOSITORY, MONOREPO = "A repository of its own", "One of many in a monorepo"


def tree(title: str) -> list[Path]:
    """Return the paths that `docs/howto/layout.md` draws below a title."""
    page = (ROOT / "docs" / "howto" / "layout.md").read_text().partition(f"\n## {title}\n")[2]
    folders: list[str] = []
    paths = []
    for line in page.partition("```text\n")[2].partition("```")[0].splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        folders[depth:] = [line.strip()]
        paths.append(Path(*folders))
    return paths


def copy_and_rename(target: Path) -> None:
    """Copy the example, named my-service."""
    shutil.copytree(EXAMPLE, target, ignore=OUTSIDE)
    (target / "msp_example").rename(target / "my_service")
    for path in (path for path in target.rglob("*") if path.is_file()):
        text = path.read_text()
        path.write_text(
            text.replace("msp_example", "my_service").replace("msp-example", "my-service")
        )


@attrs.frozen
class Stage:
    """A stage of the Dockerfile.

    Attributes:
        instructions: each with its text, in order, such as ("RUN", "python -m venv /opt/venv").
    """

    instructions: tuple[tuple[str, str], ...]

    def texts(self, instruction: str) -> list[str]:
        """Return the texts of one kind of instruction."""
        return [text for name, text in self.instructions if name == instruction]


def stages(dockerfile: Path) -> list[Stage]:
    """Return the stages of a Dockerfile that uses no continuation lines."""
    found: list[list[tuple[str, str]]] = []
    for line in dockerfile.read_text().splitlines():
        name, _, text = line.partition(" ")
        if name == "FROM":
            found.append([])
        if found and line and name != "#":
            found[-1].append((name, text))
    return [Stage(tuple(stage)) for stage in found]


@attrs.frozen
class Image:
    """Does what a Dockerfile says, in a fresh environment that stands for /opt/venv.

    Attributes:
        context: folder of the Dockerfile.
        environment: empty at first.
    """

    context: Path
    environment: FreshEnvironment

    def build(self) -> None:
        """Run what the first stage runs."""
        workdir = {"/": self.context.parent, "/src": self.context}
        folder = self.context
        for name, text in stages(self.context / "Dockerfile")[0].instructions:
            if name == "WORKDIR":
                folder = workdir[text]
            elif name == "RUN" and text != "python -m venv /opt/venv":
                self._run(text, folder)

    def _run(self, command: str, folder: Path) -> None:
        words = words_of(command, "/opt/venv/bin/pip install")
        if words is None:
            self.environment.run(command.replace("/opt/venv", str(self.environment.folder)), folder)
        else:
            # Options of pip's own; our wheels come from the environment's.
            ours = [
                word for word in words if word not in ("--no-cache-dir", "--find-links", "wheels")
            ]
            self.environment.install(ours, folder)

    def start(self, folder: Path, port: int) -> subprocess.Popen[bytes]:
        """Start what the image starts, on a live platform without resources."""
        last = stages(self.context / "Dockerfile")[-1]
        (entry,), (arguments,) = last.texts("ENTRYPOINT"), last.texts("CMD")
        platform = {"PORT": str(port), "STATELESS_MODE": "true"}
        command: list[str] = json.loads(entry) + json.loads(arguments)
        return subprocess.Popen(  # noqa: S603 - what the Dockerfile says
            [str(self.environment.folder / "bin" / command[0]), *command[1:]],
            cwd=folder,
            env={**self.environment.environ, **platform},
        )


@pytest.mark.parametrize(("title", "place"), [(OWN_REPOSITORY, "."), (MONOREPO, "cmd/my-service")])
def test_runs_in_both_structures(
    tmp_path: Path, fresh_environment: FreshEnvironment, title: str, place: str
) -> None:
    """Copied and renamed the example is drawn as the page does, and its image starts and stops."""
    repository, elsewhere = tmp_path / "repository", tmp_path / "elsewhere"
    copy_and_rename(repository / place)
    elsewhere.mkdir()
    paths = tree(title)
    image = Image(repository / place, fresh_environment)

    assert Path(place, "my_service/internal/turnstile.py") in paths
    assert [path for path in paths if not (repository / path).exists()] == []

    image.build()
    shutil.rmtree(repository / place / "my_service")  # the image has the wheel alone
    port = free_port()
    process = image.start(elsewhere, port)
    try:
        wait_ready(port, process)
        answer = httpx.get(f"http://127.0.0.1:{port}/")
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    finally:
        process.kill()

    assert answer.text == "Variable: 13"
    assert code == 0


def test_image_is_small_and_not_root() -> None:
    """What runs has the environment of the build, of one Python, and neither tools nor root."""
    build, run = stages(EXAMPLE / "Dockerfile")
    (user,) = run.texts("USER")

    assert build.texts("FROM") == ["python:${PYTHON}-slim AS build"]
    assert run.texts("FROM") == ["python:${PYTHON}-slim"]
    assert run.texts("COPY") == ["--from=build /opt/venv /opt/venv"]
    assert run.texts("RUN") == []
    assert all(int(number) > 0 for number in user.split(":"))


def test_image_has_bytecode() -> None:
    """Bytecode is made by pip while the image is built, unless that is told not to."""
    build, _ = stages(EXAMPLE / "Dockerfile")
    (install,) = [text for text in build.texts("RUN") if "pip install" in text]

    assert "--no-compile" not in install
    assert not any("PYTHONDONTWRITEBYTECODE" in text for text in build.texts("ENV"))


def imported(module: Path) -> Iterator[str]:
    """Yield what a module imports."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        ("__main__.py", r"msp_core"),
        ("internal/*.py", r"(?!msp_example\.(service|jobs))"),
    ],
)
def test_imports_run_one_way(folder: str, allowed: str) -> None:
    """The entry point calls the runtime alone; no part knows the service or a job."""
    modules = [*PACKAGE.glob(folder)]
    wrong = [
        f"{module.name}: {name}"
        for module in modules
        for name in imported(module)
        if not re.match(allowed, name)
    ]

    assert modules
    assert wrong == []


def test_layout_of_the_example_is_drawn() -> None:
    """The README draws every module of the example, and none that is not there."""
    (drawing,) = [block for block in blocks(Path("example/README.md")) if block.language == "text"]
    drawn = set(re.findall(r"^ *(\w+\.py) ", drawing.text, re.MULTILINE))

    assert drawn == {path.name for path in PACKAGE.rglob("*.py")} - {"__init__.py"}
