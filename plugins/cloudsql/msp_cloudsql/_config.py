"""CloudSQLConfig: how to reach PostgreSQL, by a local DSN or as a Cloud SQL instance."""

from __future__ import annotations

import re

import attrs

from msp_cloudsql._dsn import DSNError, Template, check_values
from msp_core.config import Secret, env
from msp_core.errors import InvalidValue

# A project may be scoped by a domain: example.com:project.
_INSTANCE = re.compile(r"[^:]+(:[^:]+)?:[^:]+:[^:]+")


def _template(value: Secret) -> None:
    try:
        check_values(Template.parse(value.reveal()).render("postgres"))
    except DSNError as error:
        raise InvalidValue(error.expected) from None


def _instance(value: str) -> None:
    if not _INSTANCE.fullmatch(value):
        raise InvalidValue("project:region:instance")


@attrs.frozen(kw_only=True)
class LocalDSN:
    """PostgreSQL on a laptop.

    Attributes:
        dsn: a libpq connection string, URL or pairs, with `{{ .Database }}` where the database's
            name goes. From `PGDSN`; not allowed with `MSP=true`.
    """

    dsn: Secret = env(
        "PGDSN",
        help="local PostgreSQL: a connection string with {{ .Database }} for the database's name",
        validator=_template,
        forbidden_when_msp=True,
    )


@attrs.frozen(kw_only=True)
class InstanceLogin:
    """A Cloud SQL instance, logged in to with the service's own identity.

    Attributes:
        instance: connection name, `project:region:instance`. From `PGINSTANCE`.
        user: IAM user in the database, without `.gserviceaccount.com`. From `PGUSER`, which means
            nothing without `PGINSTANCE`: libpq and its tools have a variable of that name.
    """

    instance: str = env(
        "PGINSTANCE",
        help="connection name of the Cloud SQL instance, project:region:instance",
        validator=_instance,
    )
    user: str = env(
        "PGUSER",
        help="IAM user in the Cloud SQL instance, without .gserviceaccount.com",
        alone_is_unset=True,  # libpq's own variable, which people set in their shells
    )


@attrs.frozen(kw_only=True, eq=False)
class CloudSQLConfig:
    """What the platform says about PostgreSQL.

    Attributes:
        connection: `PGDSN`, else `PGINSTANCE` with `PGUSER`.
        query_logging: whether queries and their arguments are logged, level debug. From
            `PG_QUERY_LOGGING`, default False; not allowed with `MSP=true`.
        trace_arguments: whether spans show values. From `PG_TRACE_ARGUMENTS`, default False.
    """

    connection: LocalDSN | InstanceLogin
    query_logging: bool = env(
        "PG_QUERY_LOGGING",
        default=False,
        help="log every query and its arguments, level debug; for local use",
        forbidden_when_msp=True,
    )
    trace_arguments: bool = env(
        "PG_TRACE_ARGUMENTS",
        default=False,
        help="show arguments of queries, and texts of errors, in spans; they hold people's data",
    )
