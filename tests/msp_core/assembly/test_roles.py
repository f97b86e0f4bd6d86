"""The roles that the plugins' records name."""

from __future__ import annotations

import pytest

from docs import generate
from msp_core import API, Role
from tests.google_roles import PERMISSIONS, WORKLOAD

RECORDS = generate.integrations()
ROLES = [role for record in RECORDS for role in record.roles]
APIS = [api for record in RECORDS for api in record.apis]


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_role_exists(role: Role) -> None:
    """A role has the name that Google gives it."""
    assert role.name in PERMISSIONS


def test_platform_grants() -> None:
    """The platform's account has every role but that of BigQuery's jobs, needed sometimes."""
    missing = [role for role in ROLES if role.name not in WORKLOAD]

    assert [role.name for role in missing] == ["roles/bigquery.jobUser"]
    assert missing[0].when is not None


@pytest.mark.parametrize("api", APIS, ids=lambda api: api.name)
def test_api_is_of_google(api: API) -> None:
    """An API has the name by which it is enabled."""
    assert api.name.removesuffix(".googleapis.com").isalpha()
