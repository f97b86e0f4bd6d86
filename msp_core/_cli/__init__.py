"""The command `msp`."""
