"""`python -m msp_example`: start the example service."""

from msp_core import start
from msp_example.service import Example

if __name__ == "__main__":
    start(Example())
