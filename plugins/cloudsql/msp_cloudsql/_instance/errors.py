"""InstanceError: why no connection to a Cloud SQL instance can be tried."""

from __future__ import annotations

from msp_core.errors import MSPError


class InstanceError(MSPError):
    """What a new connection needs cannot be had; the text holds no token and no account.

    Whoever asks for a connection gets the same text as a `psycopg.OperationalError`.
    """


class NoPrivateAddressError(InstanceError):
    """The instance cannot be reached from its network, so Google's connector has to be used."""
