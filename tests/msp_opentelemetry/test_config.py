"""The variables: never a reason not to start, silent about their values."""

from __future__ import annotations

import attrs
import pytest

from msp_core.config import describe, load
from msp_core.config._loading import Loading
from msp_opentelemetry import OpenTelemetryConfig
from msp_opentelemetry._pairs import parse_pairs


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("OTEL_TRACES_SAMPLER", "sometimes", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.5", "a ratio from 0 to 1"),
        ("OTEL_RESOURCE_ATTRIBUTES", "team", "name=value pairs"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0", "a number above 0"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "-1", "a number above 0"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "http/protobuf"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector", "scheme"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "otlp"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "a number above 0"),
        ("OTEL_SDK_DISABLED", "perhaps", "true or false"),
    ],
)
def test_ignored(name: str, value: str, expected: str) -> None:
    """What the plugin cannot do is a warning, which says what it could, and changes nothing."""
    loading = Loading({name: value})
    config = loading.section(OpenTelemetryConfig, "x")

    (ignored,) = loading.ignored
    assert loading.problems == ()
    assert config is not None
    assert attrs.asdict(config) == attrs.asdict(load(OpenTelemetryConfig, {}))
    assert ignored.variable == name
    assert expected in str(ignored)


@pytest.mark.parametrize(
    ("value", "ratio"),
    [("0", 0.0), ("0.5", 0.5), ("1", 1.0), ("-0.5", 1.0), ("1.5", 1.0)],
)
def test_ratio(value: str, ratio: float) -> None:
    """From 0 to 1; anything else keeps every trace, as does nothing."""
    loading = Loading({"OTEL_TRACES_SAMPLER_ARG": value})
    config = loading.section(OpenTelemetryConfig, "x")

    assert config is not None
    assert config.ratio == ratio
    assert bool(loading.ignored) is (float(value) != ratio)
    assert load(OpenTelemetryConfig, {}).ratio == 1.0


@pytest.mark.parametrize("value", ["", "!"])
def test_no_variable_keeps_a_service_from_starting(value: str) -> None:
    """Every variable may be set to nothing, or to nonsense."""
    names = [variable.name for variable in describe(OpenTelemetryConfig)]
    loading = Loading(dict.fromkeys(names, value))

    assert loading.section(OpenTelemetryConfig, "x") is not None
    assert loading.problems == ()
    assert bool(loading.ignored) is bool(value)


def test_headers_are_secret() -> None:
    """Headers carry keys, so they are not shown."""
    config = load(OpenTelemetryConfig, {"OTEL_EXPORTER_OTLP_HEADERS": "api-key=s3cr3t"})

    assert "s3cr3t" not in repr(config) + str(config.otlp.headers)


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", {}),
        ("a=b", {"a": "b"}),
        (" a = b , c=d=e ,", {"a": "b", "c": "d=e"}),
        ("a=1%2C2%20x,a%3D=", {"a": "1,2 x", "a=": ""}),
        ("a=1,a=2", {"a": "2"}),
    ],
)
def test_pairs(text: str, pairs: dict[str, str]) -> None:
    """Lists of pairs are read as the specification writes them."""
    assert parse_pairs(text) == pairs


@pytest.mark.parametrize("text", ["a", "=b", "a=b,c"])
def test_pairs_refused(text: str) -> None:
    """An entry that is no pair is refused, and not repeated."""
    with pytest.raises(ValueError, match=r"^an entry is not name=value$"):
        parse_pairs(text)
