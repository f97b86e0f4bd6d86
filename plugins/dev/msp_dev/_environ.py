"""The variables a service is given on a laptop."""

from __future__ import annotations

from collections.abc import Mapping

_LOG_FORMAT = ("SRC_DEVELOPMENT", "SRC_LOG_FORMAT")


def laptop_environ(own: Mapping[str, str], resources: Mapping[str, str]) -> dict[str, str]:
    """Return the service's variables: defaults, dev resources' ones, and above all the user's own.

    Args:
        own: variables the user set, and the port that was chosen; they win.
        resources: variables of the dev resources, with `MSP=false`.
    """
    environ = {**resources, **own}
    if not any(name in own for name in _LOG_FORMAT):
        environ["SRC_DEVELOPMENT"] = "true"
    return environ
