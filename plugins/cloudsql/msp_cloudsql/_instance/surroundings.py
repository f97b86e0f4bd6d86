"""Google: where Google's services are found, and as whom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:  # imports the vendor library
    from google.auth.credentials import Credentials

# Major version of PostgreSQL that the platform creates instances of.
PLATFORM_VERSION = 15


def application_default() -> Credentials:
    """Return the credentials that the platform gives this process; may ask the network.

    Raises:
        google.auth.exceptions.GoogleAuthError: there are none.
    """
    import google.auth  # noqa: PLC0415 - vendor library: imported where it is needed

    credentials, _ = google.auth.default()
    return credentials


@attrs.frozen(kw_only=True)
class Google:
    """The surroundings of a Cloud SQL instance; only a test has others than the defaults.

    Attributes:
        admin_api: scheme and host of the Cloud SQL Admin API.
        credentials: () -> who this process is; called once, in a thread.
        sockets: where the platform mounts a socket per instance.
        port: at which instances speak PostgreSQL.
    """

    admin_api: str = "https://sqladmin.googleapis.com"
    credentials: Callable[[], Credentials] = application_default
    sockets: Path = Path("/cloudsql")
    port: int = 5432
