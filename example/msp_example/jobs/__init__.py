"""Two jobs of the example: one in plain code, one in `async` code."""

from msp_example.jobs.config import JobConfig
from msp_example.jobs.sweep import Sweep
from msp_example.jobs.tally import Tally

__all__ = ["JobConfig", "Sweep", "Tally"]
