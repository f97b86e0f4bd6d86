"""Cloud Profiler, where its agent is installed (extra `profiler`)."""

from __future__ import annotations

import importlib.util
import logging
import threading

from msp_core.contract import Contract

logger = logging.getLogger("msp.opentelemetry")

_AGENT = "googlecloudprofiler"


def start_profiler(contract: Contract, project: str | None) -> threading.Thread | None:
    """Start the agent on a live platform; whatever it does, the service goes on.

    Args:
        contract: of the service.
        project: Google Cloud project that gets the profiles; None for no profiles.

    Returns:
        The thread that starts it; None when it is not wanted or not installed.
    """
    if not contract.msp or project is None or importlib.util.find_spec(_AGENT) is None:
        return None
    thread = threading.Thread(
        target=_start, args=(contract, project), name="start profiler", daemon=True
    )
    thread.start()
    return thread


def _start(contract: Contract, project: str) -> None:
    try:
        import googlecloudprofiler  # type: ignore[import-not-found, unused-ignore]  # noqa: PLC0415 - vendor library: an extra

        googlecloudprofiler.start(
            service=contract.name,
            service_version=contract.version,
            project_id=project,
            disable_wall_profiling=True,  # works in the main thread only, and with its signals
        )
    except Exception as error:  # noqa: BLE001 - the agent's own; profiles are worth no outage
        logger.error("profiler did not start, there will be no profiles: %s", error)  # noqa: TRY400 - its insides help nobody
