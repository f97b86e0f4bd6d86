"""The roles and APIs of Google that an instance needs."""

from __future__ import annotations

from typing import Final

from msp_core.integration import API, Role

_ON_AN_INSTANCE = "PGINSTANCE is set"

CLIENT: Final = Role(
    name="roles/cloudsql.client",
    purpose="asking where the instance is, and for a client certificate",
    when=_ON_AN_INSTANCE,
)
LOGIN: Final = Role(
    name="roles/cloudsql.instanceUser",
    purpose="logging in to databases of the instance as an IAM user",
    when=_ON_AN_INSTANCE,
)
ADMIN_API: Final = API(
    name="sqladmin.googleapis.com",
    purpose="where the instance is, and client certificates",
    when=_ON_AN_INSTANCE,
)
