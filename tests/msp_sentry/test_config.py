"""Variables of Sentry."""

from __future__ import annotations

import pytest

from msp_core import ConfigError, load
from msp_sentry import SentryConfig

DSN = "https://key@sentry.example/1"


def test_defaults() -> None:
    """All errors are reported and no request is traced unless somebody says otherwise."""
    config = load(SentryConfig, {"SENTRY_DSN": DSN})

    assert config.dsn.reveal() == DSN
    assert (config.sample_rate, config.traces_sample_rate) == (1.0, 0.0)


@pytest.mark.parametrize("name", ["SENTRY_SAMPLE_RATE", "SENTRY_TRACES_SAMPLE_RATE"])
@pytest.mark.parametrize("value", ["1.01", "-0.1", "NaN"])
def test_rates(name: str, value: str) -> None:
    """A rate is a share, and not a percentage."""
    with pytest.raises(ConfigError, match=f"{name} .*a number from 0 to 1"):
        load(SentryConfig, {"SENTRY_DSN": DSN, name: value})


def test_empty_dsn() -> None:
    """An empty DSN is a mistake, not a way to turn Sentry off."""
    with pytest.raises(ConfigError, match="SENTRY_DSN"):
        load(SentryConfig, {"SENTRY_DSN": ""})
