"""Waiting for the threads a service left behind, which would keep the interpreter from exiting."""

from __future__ import annotations

import logging
import os
import threading

from msp_core._stacks import thread_stacks
from msp_core.deadline import Deadline


def await_threads(seconds: float) -> None:
    """Wait for all other non-daemon threads; leave with 70, naming them, when they do not end."""
    deadline = Deadline.after(seconds)
    own = threading.current_thread()
    for thread in threading.enumerate():
        if thread is own or thread.daemon:
            continue
        thread.join(deadline.remaining())
        if thread.is_alive():
            stacks = thread_stacks(without=frozenset({threading.get_ident()}))
            logging.getLogger("msp.stop").critical(
                "thread %s did not end in time: leaving with 70",
                thread.name,
                extra={"stack": stacks},
            )
            os._exit(70)
