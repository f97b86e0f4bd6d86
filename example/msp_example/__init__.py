"""The example service: every feature a new service usually starts with, in the recommended layout.

* `__main__`: the entry point; starts the service and does nothing else.
* `service`: the service and its config; the only place that knows all the parts.
* `jobs`: a job in plain code and one in `async` code, and their config.
* `internal`: the parts, each with a small constructor that takes what it needs.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
