"""Certificate: the short-lived one by which an instance knows its client."""

from __future__ import annotations

import attrs

from msp_cloudsql._instance.admin_api import AdminAPI
from msp_cloudsql._instance.private_files import PrivateFiles
from msp_cloudsql._instance.refreshed import Fetched

MARGIN = 240.0  # seconds before its end from which on there should be a new one
_BITS = 2048


@attrs.frozen(kw_only=True)
class Certificate:
    """A client certificate and its key.

    Attributes:
        files: holds `client.pem` and `client.key`.
    """

    files: PrivateFiles

    def parameters(self) -> dict[str, str]:
        """Return libpq's parameters."""
        return {
            "sslcert": self.files.path("client.pem"),
            "sslkey": self.files.path("client.key"),
            "sslcertmode": "require",
        }


def fetch_certificate(api: AdminAPI) -> Fetched[Certificate]:
    """Return a certificate for a new key; blocks.

    Raises:
        InstanceError: the Admin API gives none.
    """
    from cryptography import x509  # noqa: PLC0415 - vendor library: imported where it is needed
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - same
    from cryptography.hazmat.primitives.asymmetric import rsa  # noqa: PLC0415 - same

    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),  # the file is private, and a password would lie beside it
    )
    text = api.ephemeral_certificate(public.decode())
    files = PrivateFiles({"client.pem": text, "client.key": private.decode()})
    end = x509.load_pem_x509_certificate(text.encode()).not_valid_after_utc
    return Fetched(value=Certificate(files=files), expires=end.timestamp())
