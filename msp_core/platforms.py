"""Platform: where the process runs, by the variables the platform sets."""

from __future__ import annotations

import enum
from collections.abc import Mapping


class Platform(enum.Enum):
    """What provisions resources and injects variables."""

    CLOUD_RUN = "cloud-run"
    KNATIVE = "knative"
    KUBERNETES = "kubernetes"
    LOCAL = "local"

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Platform:
        """Return the platform that set `K_SERVICE`, `CLOUD_RUN_JOB`, `KUBERNETES_SERVICE_HOST`.

        Knative runs on Kubernetes and sets what both set; Cloud Run sets only the first two.
        """
        serving = "K_SERVICE" in environ
        if "KUBERNETES_SERVICE_HOST" in environ:
            return cls.KNATIVE if serving else cls.KUBERNETES
        return cls.CLOUD_RUN if serving or "CLOUD_RUN_JOB" in environ else cls.LOCAL

    @property
    def drain_window(self) -> float:
        """Seconds to go on accepting after readiness turned red, before the listener closes.

        Cloud Run stops routing before it sends SIGTERM, so 0; Kubernetes removes the endpoint
        while it sends it, so 5; nobody routes to a laptop, so 0.
        """
        return 5.0 if self in (Platform.KUBERNETES, Platform.KNATIVE) else 0.0

    @property
    def shutdown_budget(self) -> float:
        """Seconds from the signal until the process must be gone, a margin before the kill.

        Cloud Run kills 10 s after SIGTERM; Kubernetes 30 s after it by default, of
        which the drain window takes its part.
        """
        return 25.0 if self in (Platform.KUBERNETES, Platform.KNATIVE) else 9.0

    @property
    def google(self) -> bool:
        """Whether Google Cloud's log collector reads this process's lines."""
        return self is Platform.CLOUD_RUN
