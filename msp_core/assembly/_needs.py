"""Needs: the clients that a service says it cannot do without, in its attribute `needs`."""

from __future__ import annotations

from msp_core._plugins.declaration import Declaration
from msp_core._plugins.hooks import Plugins
from msp_core.assembly._missing import why_undeclared
from msp_core.errors import UsageError


def needed_clients(
    service: object, subject: str, declaration: Declaration, plugins: Plugins
) -> frozenset[type]:
    """Return the types in the service's attribute `needs`; none when it has no such attribute.

    Args:
        service: that may have it.
        subject: the service as messages name it.
        declaration: which plugins it declares.
        plugins: those, loaded.

    Raises:
        UsageError: the attribute is no tuple of types, or no declared plugin provides one of them.
    """
    needs = getattr(service, "needs", ())
    if not isinstance(needs, tuple | list) or not all(isinstance(one, type) for one in needs):
        raise UsageError(
            f"{subject}: `needs` is not a tuple of types: expected those that contract[...] is "
            "asked for, such as `needs = (Redis,)`"
        )
    provided = {each.record.client for each in plugins.integrations()}
    for client in needs:
        if client not in provided:
            why = why_undeclared(declaration, client)
            raise UsageError(f"{subject} needs {client.__qualname__}: {why}")
    return frozenset(needs)
