"""Command lines of `msp`, carried out here or in a process of their own, and services for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from msp_core._cli.main import main
from tests.search_path import search_path

CONFIG = """
    import attrs
    from typing import Literal
    from msp_core.config import Secret, env
    from msp_core.hookspecs import hookimpl

    @attrs.frozen
    class Config:
        greeting: str = env("GREETING", default="hello", help="first|word")
        mood: Literal["good", "bad"] = env("MOOD", default="good")
        token: Secret = env("TOKEN", help="signs cookies")

    class Service:
        name = "guestbook"
        version = "1.2.3"
        config = Config

        @hookimpl
        async def msp_initialize(self): ...
"""


LOGIN = """
@attrs.frozen
class Local:
    dsn: str = env("KV_DSN", forbidden_when_msp=True)

@attrs.frozen
class Login:
    host: str = env("KV_HOST")
    user: str = env("KV_USER", help="who logs in")
"""


NEEDS = """
    roles=(
        Role(name="roles/kv.client", purpose="reading"),
        Role(name="roles/kv.admin", purpose="writing", when="it writes"),
    ),
    apis=(API(name="kv.example", purpose="reading and writing"),),
"""


ROLES: list[dict[str, str | None]] = [
    {"name": "roles/kv.client", "purpose": "reading", "when": None},
    {"name": "roles/kv.admin", "purpose": "writing", "when": "it writes"},
]


APIS: list[dict[str, str | None]] = [
    {"name": "kv.example", "purpose": "reading and writing", "when": None}
]


ENVIRON = {"PORT": "0", "TOKEN": "hunter2"}


@attrs.frozen
class Answer:
    """What a command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, parsed."""
        return json.loads(self.out)


@attrs.frozen
class Shell:
    """Carries out command lines in this process."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, line: str, environ: Mapping[str, str] = ENVIRON) -> Answer:
        """Carry out one; a usage error of argparse is an answer too."""
        try:
            code = main(line.split(), environ)
        except SystemExit as left:
            code = int(left.code or 0)
        captured = self.capsys.readouterr()
        return Answer(code, captured.out, captured.err)


NEEDY = """
    from fake_kv import Client
    from msp_core.hookspecs import hookimpl

    class Service:
        name = "guestbook"
        version = "1"
        needs = (Client,)

        @hookimpl
        async def msp_initialize(self): ...
"""


@attrs.frozen
class Process:
    """Starts `msp run`, or another command, as a process of its own."""

    folder: Path
    command: str = "run"

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start it with the folder's modules, and only these variables beside the usual ones."""
        return subprocess.Popen(  # noqa: S603 - this interpreter
            [sys.executable, "-m", "msp_core", self.command, *arguments],
            env={**os.environ, **search_path(self.folder), **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
