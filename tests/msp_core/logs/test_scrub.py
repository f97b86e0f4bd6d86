"""Secrets do not get out, however they are spelled."""

from __future__ import annotations

import json
import logging
import re
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from msp_core._logs.config import LogConfig
from msp_core._logs.scrub import Scrubber
from tests.msp_core.log_lines import recorded

logger = logging.getLogger("guestbook")

SECRETS = [
    "hunter2-and-more",
    'p@ss wörd/"it\'s"\\100%',
    "tab\there\nand newline",
    "-----BEGIN KEY-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEFAASC\n-----END KEY-----\n",
    "🔑-schlüssel",
    "postgres://ann:s3cr%21t@db/app?x=1",
    "@@@@",
]
SPELLINGS: dict[str, Callable[[str], str]] = {
    "raw": str,
    "json": json.dumps,
    "json_utf8": lambda text: json.dumps(text, ensure_ascii=False),
    "json_twice": lambda text: json.dumps(json.dumps(text)),
    "quote": urllib.parse.quote,
    "quote_all": lambda text: urllib.parse.quote(text, safe=""),
    "quote_plus": urllib.parse.quote_plus,
    "quote_lower": lambda text: re.sub(
        "%..", lambda match: match[0].lower(), urllib.parse.quote(text, safe="")
    ),
    "repr": repr,
    "ascii": ascii,
    "repr_bytes": lambda text: repr(text.encode()),
    "repr_twice": lambda text: repr([repr(text)]),
}


def scrubber(*secrets: str) -> Scrubber:
    """Return a scrubber that knows these."""
    scrubber = Scrubber()
    scrubber.add(secrets)
    return scrubber


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("secret", SECRETS)
def test_every_spelling_is_hidden(secret: str, spelling: str) -> None:
    """A secret is hidden however a library prints it, and nothing around it is."""
    text = scrubber(secret).text(f"before {SPELLINGS[spelling](secret)} after")

    assert text.removeprefix("before ").removesuffix(" after").strip("\"'\\b[]") == "***"


@pytest.mark.parametrize("format_name", ["json", "json_gcp", "console"])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_part_of_a_line_shows_a_secret(secret: str, format_name: str) -> None:
    """Message, arguments, fields at any depth and tracebacks are covered."""
    with recorded(LogConfig(format=format_name)) as record:
        record.logs.add_secrets([secret])
        try:
            raise ValueError(secret)  # noqa: TRY301 - to have a traceback
        except ValueError:
            logger.exception(
                "got %s and %r", secret, secret, extra={"a": {secret: [secret, 1]}, "b": secret}
            )
        text = record.text()

    for spell in SPELLINGS.values():
        assert spell(secret).strip("\"'") not in text
    assert text.count("***") >= 6


def test_key_file_is_hidden_line_by_line() -> None:
    """The lines of a key stay hidden when something indents or splits them."""
    text = scrubber(SECRETS[3]).text("  | MIIEvQIBADANBgkqh\n  | kiG9w0BAQEFAASC\n")

    assert text == "  | ***\n  | ***\n"


def test_short_lines_of_a_key_are_left_alone() -> None:
    """A line of seven characters is no secret by itself; one of eight is."""
    text = scrubber("seven77\neight888\n").text("seven77 eight888")

    assert text == "seven77 ***"


@pytest.mark.parametrize(
    "secret", ["Body", 'y":"', '","C', "Timestamp", "1234", "SeverityNumber", "true", "INFO"]
)
def test_line_stays_json(secret: str) -> None:
    """A secret that looks like a part of the line's syntax does not break the line."""
    with recorded() as record:
        record.logs.add_secrets([secret])
        logger.info("%s", secret, extra={"n": 12345.0, "list": [12340, 5, True, secret]})
        line = record.line()

    assert line["SeverityNumber"] == 9
    assert line["SeverityText"] == "INFO"
    assert isinstance(line["Timestamp"], int)
    assert secret not in line["Body"]
    assert line["Attributes"]["list"][1:] == [5, True, "***"]


def test_secret_number() -> None:
    """A secret made of digits is hidden where it is logged as a number."""
    with recorded() as record:
        record.logs.add_secrets(["271828"])
        logger.info("pin", extra={"pin": 271828, "other": 3})
        line = record.line()

    assert line["Attributes"] == {"pin": "***", "other": 3}


def test_short_secrets_are_left_alone() -> None:
    """Hiding a text of three characters would make lines unreadable and give it away."""
    assert scrubber("abc", "").text("abcdef") == "abcdef"


def test_longer_secret_is_hidden_whole() -> None:
    """A secret that begins with another one leaves no rest."""
    assert scrubber("hunter", "hunter2").text("hunter2 hunter") == "*** ***"


def test_what_holds_another_is_not_looked_for_twice() -> None:
    """Each line is searched for as few texts as can find every secret."""
    both = scrubber("hunter", "xhunter2", "sesame!")

    assert sorted(both._rules.cores) == ["hunter", "sesame"]
    assert both.text("xhunter2 hunter sesame!") == "*** *** ***"


def test_secrets_add_up() -> None:
    """What is added later does not replace what was known before."""
    both = scrubber("hunter2")
    both.add(["sesame!"])

    assert both.text("hunter2 sesame!") == "*** ***"
    assert both.text("neither") == "neither"


def test_without_secrets_nothing_changes() -> None:
    """A scrubber that knows nothing gives back what it is given."""
    assert Scrubber().text("hunter2") == "hunter2"
    assert Scrubber().json('{"a":"hunter2"}') == '{"a":"hunter2"}'


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_character_is_hidden(spelling: str) -> None:
    """Wherever a character stands in a secret, nothing of any spelling of it is left."""
    left = []
    for character in map(chr, range(0x250)):
        for secret in (f"{character}000", f"0{character}00", f"000{character}"):
            text = scrubber(secret).text(SPELLINGS[spelling](secret))
            if text.strip("\"'\\b[]") != "***":
                left.append(secret)

    assert left == []


@example("000Ã", "repr_bytes")  # its UTF-8 bytes begin with its own code point
@given(st.text(min_size=4).filter(lambda text: "*" not in text), st.sampled_from([*SPELLINGS]))
def test_any_secret_is_hidden(secret: str, spelling: str) -> None:
    """Whatever characters a secret is made of, no spelling of it is left."""
    try:
        spelled = SPELLINGS[spelling](secret)
    except UnicodeEncodeError:  # lone surrogates have no percent-encoding
        return
    text = scrubber(secret).text(spelled)

    assert text.strip("\"'\\b[]") == "***"


def test_deep_value_is_scrubbed() -> None:
    """A value nested almost deeper than Python can follow hides no secret and breaks no line."""
    value: list[object] = ["hunter2"]
    for _ in range(400):
        value = [value]
    with recorded() as record:
        record.logs.add_secrets(["hunter2"])
        logger.info("x", extra={"deep": value})
        text = record.text()

    assert "hunter2" not in text
    assert "***" in text
