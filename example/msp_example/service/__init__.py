"""The example service and its config."""

from msp_example.service.config import Config
from msp_example.service.service import Example

__all__ = ["Config", "Example"]
