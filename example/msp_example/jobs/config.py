"""JobConfig: what the jobs of the example read beside the contract."""

from __future__ import annotations

from typing import Literal

import attrs

from msp_core import Duration, PermanentError, env


@attrs.frozen(kw_only=True)
class JobConfig:
    """Options of the example's jobs, most of them for seeing what an outcome looks like.

    Attributes:
        items: how many items there are to sweep, in all tasks together. From `ITEMS`, default
            1003.
        pause: seconds that each item, or the tally, takes longer. From `PAUSE`, default 0.
        outcome: how the job comes out. From `OUTCOME`, default `success`.
    """

    items: int = env("ITEMS", default=1003, help="how many items there are to sweep")
    pause: Duration = env("PAUSE", default=0.0, help="how much longer an item, or the tally, takes")
    outcome: Literal["success", "failure", "permanent"] = env(
        "OUTCOME", default="success", help="how the job comes out, to see what that looks like"
    )

    def rehearse(self) -> None:
        """Raise what the outcome asks for.

        Raises:
            RuntimeError: a failure that may be gone when the platform tries again.
            PermanentError: one that will not.
        """
        if self.outcome == "failure":
            raise RuntimeError("failed, as OUTCOME says")
        if self.outcome == "permanent":
            raise PermanentError("failed for good, as OUTCOME says")
