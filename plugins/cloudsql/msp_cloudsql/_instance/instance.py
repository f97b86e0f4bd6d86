"""Instance: a Cloud SQL instance, and what a new connection to it needs right now."""

from __future__ import annotations

from functools import partial

import attrs

from msp_cloudsql._config import InstanceLogin
from msp_cloudsql._instance.admin_api import AdminAPI
from msp_cloudsql._instance.certificate import MARGIN, Certificate, fetch_certificate
from msp_cloudsql._instance.connector import Connector
from msp_cloudsql._instance.identity import Identity
from msp_cloudsql._instance.metadata import Metadata, fetch_metadata
from msp_cloudsql._instance.refreshed import Fetched, Refreshed
from msp_cloudsql._instance.surroundings import Google
from msp_core.config import Secret


@attrs.frozen(kw_only=True)
class Access:
    """What one new connection is made with; the files in it last as long as this object.

    Attributes:
        token: the password.
        metadata: None where the platform mounts a socket.
        certificate: None where the instance demands none.
        parameters: libpq's, the token among them.
    """

    token: Fetched[Secret]
    metadata: Fetched[Metadata] | None = None
    certificate: Fetched[Certificate] | None = None
    parameters: dict[str, str] = attrs.field(repr=False)

    @property
    def expires(self) -> float:
        """When the connection should be closed, seconds since the epoch."""
        return min(each.expires for each in (self.token, self.certificate) if each)


class Instance:
    """One Cloud SQL instance, as this process reaches it. For any thread, and asyncio.

    Attributes:
        name: connection name, `project:region:instance`.
        user: IAM user in the database.
        trouble: why the last connection could not be made, None when it was; no secret in it.
        google: where Google is found.
        identity: who this process is.
        connector: Google's way to an instance without a private address.

    Args:
        login: from the environment.
        google: where Google is found.
    """

    def __init__(self, login: InstanceLogin, google: Google) -> None:
        self.name = login.instance
        self.user = login.user
        self.trouble: str | None = None
        self.google = google
        self.identity = Identity(google.credentials)
        self.connector = Connector(login.instance, login.user, google, self.identity)
        api = AdminAPI(google.admin_api, login.instance, self.identity.admin)
        self._metadata = Refreshed(
            partial(fetch_metadata, api, login.instance), title="metadata from the Admin API"
        )
        self._certificate = Refreshed(
            partial(fetch_certificate, api),
            title="client certificate from the Admin API",
            margin=MARGIN,
        )

    def access(self) -> Access:
        """Return what a connection needs, for threads; fetches what is missing or about to end.

        Raises:
            NoPrivateAddressError: the instance has no address in a private network.
            InstanceError: something cannot be had.
        """
        if self._mounted:
            return self._over_socket(self.identity.login.get())
        metadata = self._metadata.get()
        place = metadata.value.parameters(self.name)
        demanded = metadata.value.certificate_demanded
        certificate = self._certificate.get() if demanded else None
        return self._login(self.identity.login.get(), place, metadata, certificate)

    async def access_async(self) -> Access:
        """Return what a connection needs, for asyncio; else like `access`."""
        if self._mounted:
            return self._over_socket(await self.identity.login.get_async())
        metadata = await self._metadata.get_async()
        place = metadata.value.parameters(self.name)
        demanded = metadata.value.certificate_demanded
        certificate = await self._certificate.get_async() if demanded else None
        return self._login(await self.identity.login.get_async(), place, metadata, certificate)

    def doubt(self, access: Access) -> bool:
        """Return whether asking again may give something that works better than that access.

        Has everything in it fetched again, at most once in ten seconds.
        """
        renewed = [self.identity.login.renew(access.token)]
        if access.metadata:
            renewed.append(self._metadata.renew(access.metadata))
        if access.certificate:
            renewed.append(self._certificate.renew(access.certificate))
        return any(renewed)

    def forget(self) -> None:
        """Drop everything that was fetched, and the files of it."""
        for each in (self.identity.admin, self.identity.login, self._metadata, self._certificate):
            each.forget()

    @property
    def _mounted(self) -> bool:
        return (self.google.sockets / self.name).is_dir()

    def _over_socket(self, token: Fetched[Secret]) -> Access:
        place = {"host": str(self.google.sockets / self.name)}
        return Access(token=token, parameters=self._complete(token, place))

    def _login(
        self,
        token: Fetched[Secret],
        place: dict[str, str],
        metadata: Fetched[Metadata],
        certificate: Fetched[Certificate] | None,
    ) -> Access:
        # Else libpq would offer the certificate of the user's home.
        shown = certificate.value.parameters() if certificate else {"sslcertmode": "disable"}
        return Access(
            token=token,
            metadata=metadata,
            certificate=certificate,
            parameters=self._complete(token, {**place, **shown, "gssencmode": "disable"}),
        )

    def _complete(self, token: Fetched[Secret], place: dict[str, str]) -> dict[str, str]:
        login = {"user": self.user, "password": token.value.reveal()}
        return {**place, **login, "port": str(self.google.port)}
