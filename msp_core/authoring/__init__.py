"""For authors of plugins: what every plugin needs once, and nobody should write again.

* `bounded`, `bounded_sync`: run what may hang, under a hard deadline.
* `Outage`: one line when something fails, one when it works again.
* `PerProcess`: what exists once in each process; the child of a fork makes its own.
* `tracer`, `meter`, `client_span`, `record_error`: telemetry where the program has OpenTelemetry,
  and the rule which text of an error may be recorded.

The arguments of a command of `msp` are in `msp_core.commands`, what a dev resource needs is in
`msp_core.dev`.
"""

from msp_core.authoring._bounded import bounded, bounded_sync
from msp_core.authoring._outage import Outage
from msp_core.authoring._per_process import PerProcess
from msp_core.authoring._telemetry import client_span, meter, record_error, tracer

__all__ = [
    "Outage",
    "PerProcess",
    "bounded",
    "bounded_sync",
    "client_span",
    "meter",
    "record_error",
    "tracer",
]
