"""The command msp-bigquery-emulator."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_STOP: Final = (signal.SIGINT, signal.SIGTERM)


def main(argv: Sequence[str] | None = None) -> int:
    """Run an emulator until SIGINT or SIGTERM and return the exit code.

    Prints one line of JSON when it is ready: `project`, `dataset`, `http` (a URL) and `grpc`
    (`host:port`).

    Args:
        argv: what follows the command's name; None for this process's own.
    """
    options = _parser().parse_args(argv)
    # Blocked before any thread exists, so that only sigwait below gets them.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)

    import duckdb  # noqa: PLC0415 - heavy: not for --help

    from msp_bigquery_emulator._store.schema_files import SchemaFileError  # noqa: PLC0415 - same
    from msp_bigquery_emulator.emulator import Emulator, Options  # noqa: PLC0415 - same

    try:
        with Emulator(Options(**vars(options))) as emulator:
            ready = {"project": options.project, "dataset": options.dataset}
            print(  # noqa: T201 - what it is for
                json.dumps(ready | {"http": emulator.http, "grpc": emulator.grpc}), flush=True
            )
            signal.sigwait(_STOP)
    except (SchemaFileError, OSError, duckdb.Error) as error:
        print(f"msp-bigquery-emulator: {error}", file=sys.stderr)  # noqa: T201 - same
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="msp-bigquery-emulator",
        description="A local BigQuery for development and tests; an emulator, not BigQuery.",
    )
    parser.add_argument("--project", required=True, help="the only project there is")
    parser.add_argument("--dataset", required=True, help="made when missing")
    parser.add_argument("--data", required=True, type=Path, help="folder that keeps the data")
    parser.add_argument("--schemas", type=Path, help="folder of <table>.json schema files")
    parser.add_argument("--http-port", type=_port, default=0, help="of REST; 0 for a free one")
    parser.add_argument("--grpc-port", type=_port, default=0, help="of the Write API; 0 likewise")
    parser.add_argument("--buckets", type=Path, help="folder: gs://b/x is <folder>/b/x")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--memory-limit", default="1GB", help="of DuckDB; files beyond it")
    parser.add_argument("--query-timeout", type=_seconds, default=600.0, help="seconds of a job")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:  # noqa: PLR2004 - the largest port
        raise argparse.ArgumentTypeError("expected a port, 0 to 65535")
    return port


def _seconds(text: str) -> float:
    seconds = float(text)
    if not seconds > 0:
        raise argparse.ArgumentTypeError("expected seconds, more than 0")
    return seconds


if __name__ == "__main__":
    sys.exit(main())
