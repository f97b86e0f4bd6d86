"""The first lines of the command `msp`: an interruption while the rest is imported says nothing."""

from __future__ import annotations

import signal


def main() -> int:
    """Carry out the command line; return the exit code, 130 when Ctrl-C ended it."""
    before = signal.getsignal(signal.SIGINT)
    # An exception in the midst of an import may come out as any other, with a traceback.
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from msp_core._cli.main import main as carry_out  # noqa: PLC0415 - takes most of the start

    try:
        signal.signal(signal.SIGINT, before)
        return carry_out()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
