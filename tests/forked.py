"""Forked: what a program does in the child of a fork."""

from __future__ import annotations

import os
import traceback
import warnings
from collections.abc import Callable


def in_child(work: Callable[[], object]) -> None:
    """Do the work in the child of a fork of this process; raise unless it succeeded there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer Pythons advise against forking with threads
        child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it was, the child must end here
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
