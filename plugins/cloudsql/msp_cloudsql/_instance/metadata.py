"""Metadata: where an instance is, and how to know it."""

from __future__ import annotations

import time
from typing import Any

import attrs

from msp_cloudsql._instance.admin_api import AdminAPI
from msp_cloudsql._instance.errors import InstanceError, NoPrivateAddressError
from msp_cloudsql._instance.private_files import PrivateFiles
from msp_cloudsql._instance.refreshed import Fetched

_LIFE = 3600.0  # seconds; Google announces a change of the CA months ahead
_OWN_CA = "GOOGLE_MANAGED_INTERNAL_CA"  # of this instance alone; its certificates name no host
_CERTIFICATE_DEMANDED = "TRUSTED_CLIENT_CERTIFICATE_REQUIRED"


@attrs.frozen(kw_only=True)
class Metadata:
    """What the Admin API says about an instance.

    Attributes:
        address: private IP; None when it has none.
        name: DNS name; None when it has none.
        files: holds `ca.pem`, by which the server is known.
        shared_ca: whether that CA vouches for other instances too, so that the name counts.
        certificate_demanded: whether a client needs a certificate.
    """

    address: str | None
    name: str | None
    files: PrivateFiles
    shared_ca: bool
    certificate_demanded: bool

    def parameters(self, instance: str) -> dict[str, str]:
        """Return libpq's parameters that lead to the instance and nowhere else.

        Raises:
            NoPrivateAddressError: it has no address in a private network.
            InstanceError: it cannot be distinguished from others.
        """
        if self.address is None and self.name is None:
            raise NoPrivateAddressError(
                f"instance {instance!r} has no private address: give it a private IP or Private "
                "Service Connect, or mount its socket below /cloudsql; or install "
                "msp-cloudsql[connector], which serves sync_pool only"
            )
        if self.shared_ca and self.name is None:
            raise InstanceError(f"instance {instance!r} has a shared CA and no DNS name")
        return {
            "host": self.name or self.address or "",
            **({"hostaddr": self.address} if self.address else {}),
            "sslmode": "verify-full" if self.shared_ca else "verify-ca",
            "sslrootcert": self.files.path("ca.pem"),
        }


def fetch_metadata(api: AdminAPI, instance: str) -> Fetched[Metadata]:
    """Return what the Admin API says now; blocks.

    Raises:
        InstanceError: it does not say what is needed.
    """
    settings, described = api.connect_settings(), api.describe()
    region = instance.rsplit(":", 2)[1]
    if settings.get("region", region) != region:
        raise InstanceError(f"instance {instance!r} is in another region: correct PGINSTANCE")
    try:
        metadata = Metadata(
            address=_private_address_of(settings),
            name=_name(settings),
            files=PrivateFiles({"ca.pem": settings["serverCaCert"]["cert"]}),
            shared_ca=settings.get("serverCaMode", _OWN_CA) not in (_OWN_CA, "CA_MODE_UNSPECIFIED"),
            certificate_demanded=_ssl_mode(described) == _CERTIFICATE_DEMANDED,
        )
    except (KeyError, TypeError):
        raise InstanceError(f"the Admin API gives no server CA for {instance!r}") from None
    return Fetched(value=metadata, expires=time.time() + _LIFE)


def _private_address_of(settings: dict[str, Any]) -> str | None:
    found = (
        each["ipAddress"] for each in settings.get("ipAddresses", ()) if each["type"] == "PRIVATE"
    )
    return next(found, None)


def _name(settings: dict[str, Any]) -> str | None:
    """Return a name that leads to the instance inside a private network."""
    kinds = ["PRIVATE_SERVICES_ACCESS", "PRIVATE_SERVICE_CONNECT"]
    names = {each["connectionType"]: each["name"] for each in settings.get("dnsNames", ())}
    found = [names[kind] for kind in kinds if kind in names]
    if settings.get("dnsName") and (settings.get("pscEnabled") or _private_address_of(settings)):
        found.append(settings["dnsName"])
    return str(found[0]).rstrip(".") if found else None


def _ssl_mode(described: dict[str, Any]) -> str:
    return str(described.get("settings", {}).get("ipConfiguration", {}).get("sslMode", ""))
