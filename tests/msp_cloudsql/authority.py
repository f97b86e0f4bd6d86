"""A certificate authority for tests."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import NameOID


class Authority:
    """Issues certificates; `pem` is what others know it by."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("stand-in CA")
        self._certificate = _builder(self._name, self._key.public_key(), 3600).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        signed = self._certificate.issuer_name(self._name).sign(self._key, hashes.SHA256())
        self.pem = signed.public_bytes(serialization.Encoding.PEM).decode()

    def issue(
        self, common_name: str, key: PublicKeyTypes, seconds: float, names: Sequence[str] = ()
    ) -> str:
        """Return a certificate for a public key, PEM."""
        builder = _builder(_name(common_name), key, seconds).issuer_name(self._name)
        if names:
            found = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            builder = builder.add_extension(found, critical=False)
        signed = builder.sign(self._key, hashes.SHA256())
        return signed.public_bytes(serialization.Encoding.PEM).decode()

    def server_context(
        self, folder: Path, clients: Authority, names: Sequence[str]
    ) -> ssl.SSLContext:
        """Return the TLS side of a server of this authority, which knows clients of another."""
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file = folder / "server.pem"
        file.write_text(private.decode() + self.issue("p:main", key.public_key(), 3600, names))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        context.load_verify_locations(cadata=clients.pem)
        context.verify_mode = ssl.CERT_OPTIONAL  # PostgreSQL looks only after the handshake
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(subject: x509.Name, key: PublicKeyTypes, seconds: float) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key)  # type: ignore[arg-type]  # those that sign nothing are left out
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=2))
        .not_valid_after(now + dt.timedelta(seconds=seconds))
    )
