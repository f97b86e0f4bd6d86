"""`python -m msp_example`: start the example service."""

from msp_core import start

start("example")
