"""The laptop as a platform: `msp dev`, which runs a service on embedded resources.

For each declared plugin that the environment does not configure it starts the plugin's dev
resource, then runs the service in the same process. The service cannot tell.
"""

from msp_dev._command import msp_commands

__all__ = ["msp_commands"]
