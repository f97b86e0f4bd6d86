"""For authors of plugins: what every plugin needs once, and nobody should write again.

* `bounded`, `bounded_sync`: run what may hang, under a hard deadline.

`msp_core.authoring.commands`, the arguments of a command of `msp`, is imported on its own: it
takes the assembly of services with it.
"""

from msp_core.authoring._bounded import bounded, bounded_sync

__all__ = ["bounded", "bounded_sync"]
