"""`python -m msp_example`: start the example service."""

from msp_core import start
from msp_example.service import Example

start(Example())
