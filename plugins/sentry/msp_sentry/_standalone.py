"""configure_sentry(): Sentry for a program that does without the runtime."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from msp_core.assembly import Environment
from msp_core.config import load
from msp_core.contract import Origin
from msp_sentry._config import SentryConfig


@attrs.frozen(kw_only=True, eq=False)
class StandaloneConfig:
    """What such a program reads."""

    environment: Environment
    sentry: SentryConfig | None


def configure_sentry(
    environ: Mapping[str, str],
    *,
    service: str,
    version: str,
    scrub: Callable[[str], str] = lambda text: text,
    integrations: Sequence[Any] = (),
) -> bool:
    """Report errors that are logged with their exception, and uncaught ones, to Sentry.

    Nothing else of the program changes. What waits at exit is sent within 5 seconds. Called
    again, the new variables replace the old ones.

    Args:
        environ: the variables, usually `os.environ`.
        service: name of the program.
        version: its version, which becomes the events' release.
        scrub: (text) -> the text without secrets; applied to all texts that leave.
        integrations: of the SDK, such as `FlaskIntegration()`; none is enabled by itself. What
            they and the log report twice is sent once.

    Returns:
        Whether Sentry is enabled: False when `SENTRY_DSN` is not set, empty or malformed. What is
        empty or malformed is a warning in the log, and leaves what was configured before; a sample
        rate that is none is one, too, and its default counts.

    Raises:
        ConfigError: `ENVIRONMENT_ID` is empty.
    """
    config = load(StandaloneConfig, environ, owner=f"program {service!r}")
    if config.sentry is None:
        return False
    from msp_sentry._error_lines import ErrorLines  # noqa: PLC0415 - imports the vendor library
    from msp_sentry._reporting import Reporting  # noqa: PLC0415 - same

    origin = Origin(
        name=service,
        version=version,
        environment_id=config.environment.id,
        instance_id=uuid.uuid4().hex,
    )
    chosen = [*_hooks(), *integrations]
    reporting = Reporting.of(config.sentry, origin, scrub=scrub, integrations=chosen)
    if reporting is None:
        return False
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, ErrorLines)]:
        root.removeHandler(handler)
    reporting.start()
    return True


def _hooks() -> Sequence[Any]:
    """Return what the runtime does otherwise: uncaught exceptions, and the flush at exit."""
    from sentry_sdk.integrations.atexit import AtexitIntegration  # noqa: PLC0415 - vendor library
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration  # noqa: PLC0415 - same
    from sentry_sdk.integrations.threading import ThreadingIntegration  # noqa: PLC0415 - same

    def keep_quiet(_pending: int, _seconds: float) -> None:
        return

    return (
        AtexitIntegration(callback=keep_quiet),
        ExcepthookIntegration(),
        ThreadingIntegration(),
    )
