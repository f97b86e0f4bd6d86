"""Origin: every way out of a process names it the same."""

from __future__ import annotations

from msp_core import Origin
from tests.msp_core.http_service import contract


def test_contract_says_which_process_it_is() -> None:
    """Under the names of OpenTelemetry's resource attributes."""
    origin = contract().origin

    assert origin == Origin(
        name="guestbook", version="1.2.3", environment_id="test", instance_id="instance"
    )
    assert origin.attributes() == {
        "service.name": "guestbook",
        "service.version": "1.2.3",
        "service.instance.id": "instance",
        "deployment.environment.name": "test",
    }
