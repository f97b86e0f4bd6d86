"""What holds for every test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hypothesis import settings


def test_no_example_fails_for_being_slow() -> None:
    """A busy machine takes its time for an example; that is no failure."""
    assert settings().deadline is None


def test_signals_work_in_the_background() -> None:
    """A background job is started with signals ignored: tests of Ctrl-C would wait for ever."""
    tests = Path(__file__).parents[1] / "msp_core" / "life" / "test_open_contract_sync.py"
    pytest = [sys.executable, "-m", "pytest", "-q", "--no-cov", "-p", "no:cacheprovider"]
    command = ["sh", "-c", 'trap "" INT QUIT HUP; exec "$@"', "sh", *pytest, str(tests)]
    done = subprocess.run(  # noqa: S603 - our own tests
        [*command, "-k", "test_interrupted_open_unwinds"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stdout
