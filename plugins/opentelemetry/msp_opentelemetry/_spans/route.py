"""The route template of a request, for a name that many requests share."""

from __future__ import annotations

from typing import Any

from msp_core.asgi import Scope


def route_of(scope: Scope, root_path: str, attributes: Any) -> str | None:  # noqa: ANN401 - the SDK's mapping, or None
    """Return such as `/users/{id}`, or None when it is unknown.

    Args:
        scope: after the application ran: Starlette and FastAPI leave their route in it.
        root_path: the scope's before the application ran.
        attributes: of the request's span; `http.route`, set by the application, wins.
    """
    known = (attributes or {}).get("http.route")
    if known is not None:
        return str(known)
    # What the application was mounted under is the scope's by now.
    mounted = str(scope.get("root_path", "")).removeprefix(root_path)
    # FastAPI's route does not know what its router was included under; this does.
    included = scope.get("fastapi", {}).get("effective_route_context")
    for route in (getattr(included, "starlette_route", None), included, scope.get("route")):
        if hasattr(route, "routes"):  # a mounted application which gives no route of its own
            return mounted
        path = getattr(route, "path_format", None) or getattr(route, "path", None)
        if isinstance(path, str) and path:
            return f"{mounted}{path}"
    return None
