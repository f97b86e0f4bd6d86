"""With exactly the roles that the platform grants, an instance is found and logged in to."""

from __future__ import annotations

from collections.abc import Collection

import psycopg
import pytest

from msp_cloudsql import msp_integration
from tests.google_roles import WORKLOAD
from tests.msp_cloudsql.iam import Opening, answer, sync_answer
from tests.msp_cloudsql.stand_in import StandIn

NAMED = frozenset(role.name for role in msp_integration().roles)


@pytest.mark.parametrize("roles", [WORKLOAD, NAMED], ids=["platform", "record"])
@pytest.mark.parametrize("demanded", [False, True], ids=["password", "certificate"])
async def test_works_with_exactly_these_roles(
    stand_in: StandIn, opened: Opening, roles: Collection[str], *, demanded: bool
) -> None:
    """What the platform grants, and what the record names, is enough for every question."""
    stand_in.roles, stand_in.certificate_demanded = roles, demanded
    async with opened() as cloudsql:
        assert await answer(cloudsql) == "primary"
        assert await sync_answer(cloudsql) == "primary"

    assert stand_in.asked["connectSettings"] == 1
    assert stand_in.asked["generateEphemeralCert"] == demanded


@pytest.mark.parametrize("missing", sorted(NAMED))
async def test_a_missing_role_is_named(stand_in: StandIn, opened: Opening, missing: str) -> None:
    """Without a role that the record names nobody gets in, and the error says which it is."""
    stand_in.roles, stand_in.certificate_demanded = WORKLOAD - {missing}, True
    async with opened() as cloudsql:
        with pytest.raises(psycopg.OperationalError, match=missing):
            await cloudsql.connect("primary")


async def test_an_api_that_is_not_enabled_is_named(stand_in: StandIn, opened: Opening) -> None:
    """A project without the Admin API lacks no role: the error names what to enable."""
    stand_in.enabled = False
    async with opened() as cloudsql:
        with pytest.raises(psycopg.OperationalError) as caught:
            await cloudsql.connect("primary")

    assert str(caught.value).endswith(
        "answers 403 about 'p:europe-west1:main': expected sqladmin.googleapis.com enabled"
    )
