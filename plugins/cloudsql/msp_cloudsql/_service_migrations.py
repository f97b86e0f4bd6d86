"""The migrations of an installed service: where they are, and whether they can be applied."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from msp_cloudsql._migrations.errors import MigrationFilesError
from msp_cloudsql._migrations.migration import read_migrations
from msp_core.errors import UsageError
from msp_core.hookspecs import hookimpl


@hookimpl
def msp_check_service(service: object) -> list[str]:
    """Judge the folder that the service declares; without a declaration it may have none."""
    try:
        folder = declared_folder(service)
    except UsageError as error:
        return [str(error)]
    if folder is None:
        return []
    try:
        read_migrations(folder)
    except MigrationFilesError as error:
        text = str(error)
        return [text if text.startswith(str(folder)) else f"migrations in {folder}: {text}"]
    return []


def migrations_folder(service: object) -> Path:
    """Return the declared folder, else `migrations` beside the modules of the top package.

    Raises:
        UsageError: the service declares something else than a path, or declares nothing and its
            package has no folder of its own.
    """
    folder = declared_folder(service)
    if folder is not None:
        return folder
    module = sys.modules[type(service).__module__.partition(".")[0]]
    file = getattr(module, "__file__", None)  # none of a package without __init__.py
    if file is None:
        raise UsageError(f"{module.__name__} has no __init__.py: give the folder with --directory")
    return Path(file).parent / "migrations"


def declared_folder(service: object) -> Path | None:
    """Return what the service's attribute `migrations` says; None without one.

    Raises:
        UsageError: it is no path.
    """
    declared = getattr(service, "migrations", None)
    if declared is None:
        return None
    if not isinstance(declared, str | os.PathLike):
        raise UsageError(
            f"the service's attribute `migrations` is of type {type(declared).__name__}, expected "
            'the folder: Path(__file__).parent / "migrations"'
        )
    return Path(declared)
