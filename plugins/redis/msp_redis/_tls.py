"""Trust: the certificate authorities that a rediss:// connection accepts."""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

logger = logging.getLogger("msp.redis")

_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----\s.+?\s-----END CERTIFICATE-----", re.ASCII | re.DOTALL
)


@attrs.frozen(kw_only=True, eq=False)
class Trust:
    """What a server's certificate must lead to.

    OpenSSL looks only for files named by hash in a folder of authorities, and once SSL_CERT_DIR
    is set it forgets the system's folder. Go reads every file of SSL_CERT_DIR and keeps the
    system's bundle, so that is what the platform counts on.

    Attributes:
        pem: certificates found in the folders, each once, in PEM; empty when there are none.
        system_file: the system's bundle; None when it has none, or OpenSSL finds it by itself.
        system_folder: the system's folder of authorities; else like `system_file`.
    """

    pem: str
    system_file: str | None
    system_folder: str | None

    @classmethod
    def of(cls, folders: str | None) -> Trust:
        """Return the system's trust and every certificate in the folders.

        Args:
            folders: paths parted by colons; None leaves it to OpenSSL. From `SSL_CERT_DIR`.
        """
        if folders is None:
            return cls(pem="", system_file=None, system_folder=None)
        system = ssl.get_default_verify_paths()
        found = dict.fromkeys(
            certificate
            for folder in folders.split(":")
            if folder
            for certificate in _certificates(Path(folder))
        )
        return cls(
            pem="\n".join(found),
            system_file=_find_existing(system.openssl_cafile),
            system_folder=_find_existing(system.openssl_capath),
        )

    def options(self) -> dict[str, Any]:
        """Return what redis-py needs for a TLS connection; it adds all of it to OpenSSL's own.

        From Python 3.13 on, OpenSSL would by default demand extensions, such as a key identifier,
        that Go does not ask for and that certificates of managed Redis servers lack.
        """
        given = {
            "ssl_ca_data": self.pem or None,
            "ssl_ca_certs": self.system_file,
            "ssl_ca_path": self.system_folder,
        }
        # The certificate carries the host, or the address, of the URL: checked as Go does.
        return {
            "ssl_check_hostname": True,
            "ssl_exclude_verify_flags": [ssl.VERIFY_X509_STRICT],
            **{name: value for name, value in given.items() if value is not None},
        }


def _find_existing(path: str) -> str | None:
    return path if Path(path).exists() else None


def _certificates(folder: Path) -> Iterator[str]:
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        logger.debug("SSL_CERT_DIR: a folder was skipped: %s", type(error).__name__)
        return
    for file in files:
        yield from _certificates_in(file)


def _certificates_in(file: Path) -> Iterator[str]:
    try:
        blocks = _CERTIFICATE.findall(file.read_text("ascii", errors="replace"))
    except OSError as error:
        logger.debug("SSL_CERT_DIR: file %r was skipped: %s", file.name, type(error).__name__)
        return
    sound = [block for block in blocks if _loads(block)]
    if len(sound) < len(blocks) or not blocks:
        logger.debug("SSL_CERT_DIR: file %r was skipped: not a PEM certificate", file.name)
    yield from sound


def _loads(certificate: str) -> bool:
    # One broken certificate makes OpenSSL refuse all that are given with it.
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=certificate)
    except ssl.SSLError:
        return False
    return True
