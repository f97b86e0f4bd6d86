"""The declaration: env(), describe(), what a config class may hold, and that values stay inside."""

from __future__ import annotations

import enum
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msp_core.config import (
    URL,
    Duration,
    Group,
    Percent,
    Secret,
    Variable,
    describe,
    env,
    load,
)
from msp_core.errors import ConfigError, InvalidValue, UsageError

if TYPE_CHECKING:
    from decimal import Decimal


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Empty(enum.Enum):
    pass


@attrs.frozen(kw_only=True)
class Limits:
    timeout: Duration = env("LIMITS_TIMEOUT", default=1.5, help="of one query")


@attrs.frozen(kw_only=True)
class Certificate:
    key: Secret = env("TLS_KEY", help="private key")
    certificate: str = env("TLS_CERTIFICATE", help="its certificate")
    limits: Limits


@attrs.frozen(kw_only=True)
class LocalDSN:
    dsn: Secret = env("DSN", help="with password", forbidden_when_msp=True)


@attrs.frozen(kw_only=True)
class Login:
    instance: str = env("INSTANCE", help="connection name")
    user: str = env("LOGIN_USER", help="database user")


@attrs.frozen(kw_only=True)
class InMemory:
    size: Percent = env("MEMORY", default=50, help="of the container's")


@attrs.frozen(kw_only=True)
class Config:
    """Mixes what has a default with what has none, as a service does."""

    greeting: str = env("GREETING", default="hello", help="first word")
    limits: Limits
    port: int = env("PORT", help="to listen on")
    name: str | None = env("NAME", help="shown to users")
    certificate: Certificate | None
    login: LocalDSN | Login
    memory: InMemory | None
    made: list[str] = attrs.field(factory=list)
    derived: int = attrs.field(init=False, default=7)
    _private: bool = env("PRIVATE", default=True)


@attrs.frozen
class Cache:
    cache: Login | InMemory


CHOICES = Group(choices=(("DSN",), ("INSTANCE", "LOGIN_USER")), optional=False)
OPTIONAL = Group(choices=(("TLS_KEY", "TLS_CERTIFICATE"),), optional=True)
FALLBACK = Group(choices=(("INSTANCE", "LOGIN_USER"),), optional=True)


def test_describe_lists_every_variable() -> None:
    """Help and reference tables hold optional variables, and those of fragments at any depth."""
    variables = {variable.name: variable for variable in describe(Config)}

    assert list(variables) == [
        "GREETING",
        "LIMITS_TIMEOUT",
        "PORT",
        "NAME",
        "TLS_KEY",
        "TLS_CERTIFICATE",
        "DSN",
        "INSTANCE",
        "LOGIN_USER",
        "MEMORY",
        "PRIVATE",
    ]
    assert variables["PORT"] == Variable(
        name="PORT",
        owner="service",
        type="integer",
        form="an integer of 64 bits, such as 8080",
        required=True,
        help="to listen on",
    )
    assert variables["DSN"] == Variable(
        name="DSN",
        owner="service",
        type="secret",
        required=False,
        help="with password",
        secret=True,
        forbidden_when_msp=True,
        group=CHOICES,
    )


def test_describe_says_what_goes_together() -> None:
    """A required variable of an optional fragment, or of a choice, is required with others only."""
    groups = {variable.name: variable.group for variable in describe(Config) if variable.group}
    required = [variable.name for variable in describe(Config) if variable.required]

    assert required == ["PORT"]
    assert groups == {
        "TLS_KEY": OPTIONAL,
        "TLS_CERTIFICATE": OPTIONAL,
        "DSN": CHOICES,
        "INSTANCE": CHOICES,
        "LOGIN_USER": CHOICES,
    }


def test_choice_with_a_fallback_is_optional() -> None:
    """A fragment that needs nothing makes the others of its choice optional."""
    variables = describe(Cache)

    assert [variable.group for variable in variables] == [FALLBACK, FALLBACK, None]
    assert load(Cache, {}).cache == InMemory(size=50)
    assert load(Cache, {"MEMORY": "7"}).cache == InMemory(size=7)
    assert load(Cache, {"INSTANCE": "i", "LOGIN_USER": "u"}).cache == Login(instance="i", user="u")


def test_variable_of_two_fragments_is_described_once() -> None:
    """A row of a table is a variable; it is required when one of its readers requires it."""

    @attrs.frozen
    class Optional:
        key: str | None = env("KEY", help="of the cache")

    @attrs.frozen
    class Required:
        key: Secret = env("KEY", help="of the database")

    body = {"__annotations__": {"cache": Optional, "database": Required}}

    (variable,) = describe(attrs.frozen(type("Both", (), body)))

    assert variable.help == "of the cache"
    assert variable.required
    assert variable.secret


def test_variable_of_two_readers_may_be_empty_where_both_allow_it() -> None:
    """What one reader refuses is refused, so help must not allow it."""

    @attrs.frozen
    class Lenient:
        level: str | None = env("LEVEL", empty_is_unset=True)

    @attrs.frozen
    class Strict:
        level: str | None = env("LEVEL")

    def emptiable(*readers: type[Any]) -> bool:
        body = {"__annotations__": {f"reader_{at}": one for at, one in enumerate(readers)}}
        (variable,) = describe(attrs.frozen(type("Readers", (), body)))
        return variable.empty_is_unset

    assert emptiable(Lenient, Lenient)
    assert not emptiable(Lenient, Strict)
    assert not emptiable(Strict, Lenient)


def test_group_reads_as_a_sentence() -> None:
    """Tables and problems show a group the same way."""
    assert str(CHOICES) == "DSN, or INSTANCE with LOGIN_USER"


@pytest.mark.parametrize(
    ("annotation", "default", "text"),
    [
        (str, "hello", "hello"),
        (int, 8080, "8080"),
        (bool, True, "true"),
        (bool, False, "false"),
        (float, 0.25, "0.25"),
        (Duration, 9.0, "9s"),
        (Duration, 9, "9s"),
        (Duration, 0.00001, "0.00001s"),
        (Percent, 0, "0"),
        (Colour, Colour.RED, "red"),
        (Literal["a", "b"], "b", "b"),
        (Path, Path("/srv"), "/srv"),
        (Secret, Secret("hunter2"), "***"),
        (list[Duration], [1.0, 2.5], "1s,2.5s"),
        (list[Colour], attrs.Factory(lambda: [Colour.RED, Colour.BLUE]), "red,blue"),
        (list[Secret], [Secret("hunter2")], "***"),
        (str, attrs.Factory(lambda self: "x", takes_self=True), None),
        (str | None, None, None),
        (str | None, attrs.NOTHING, None),
    ],
)
def test_default_is_shown_as_it_would_be_written(
    annotation: Any, default: Any, text: str | None
) -> None:
    """What help shows can be copied into a manifest, and is no secret."""
    body = {"__annotations__": {"x": annotation}, "x": env("X", default=default)}
    config = attrs.frozen(type("Config", (), body))

    (variable,) = describe(config)

    assert variable.default == text
    assert not variable.required


@pytest.mark.parametrize(
    ("annotation", "name", "choices", "secret"),
    [
        (str, "text", (), False),
        (int, "integer", (), False),
        (float, "number", (), False),
        (bool, "boolean", (), False),
        (Duration, "duration", (), False),
        (Percent | None, "percentage", (), False),
        (URL, "URL", (), False),
        (Path, "path", (), False),
        (Secret | None, "secret", (), True),
        (Colour, "choice", ("red", "blue"), False),
        (Literal["a", 3], "choice", ("a", "3"), False),
        (list[Duration], "list of duration", (), False),
        (tuple[Secret, ...], "list of secret", (), True),
    ],
)
def test_type_is_described_in_words(
    annotation: Any, name: str, choices: tuple[str, ...], *, secret: bool
) -> None:
    """Tables show types to people who do not read Python."""
    body = {"__annotations__": {"x": annotation}, "x": env("X")}

    (variable,) = describe(attrs.frozen(type("Config", (), body)))

    assert (variable.type, variable.choices, variable.secret) == (name, choices, secret)


@pytest.mark.parametrize(
    "annotation",
    [
        set[str],
        list,
        dict,
        tuple[int, str],
        object,
        Empty,
        Any,
        list[bytes],
        dict[int, str],
        dict[str, bytes],
        dict[str, int | str],
        dict[str, None],
        dict[str, Empty],
        list[list[tuple[int, str]]],
    ],
)
def test_type_that_no_variable_can_have_is_refused(annotation: Any) -> None:
    """The author of a config class learns at once which types there are."""
    body = {"__annotations__": {"x": annotation}, "x": env("X")}

    with pytest.raises(UsageError, match=r"a variable cannot be of type .*: use str, int"):
        describe(attrs.frozen(type("Config", (), body)))


def test_union_of_types_is_refused() -> None:
    """Which of two types a text is of cannot be told."""
    body = {"__annotations__": {"x": int | str}, "x": env("X")}

    with pytest.raises(UsageError, match="field 'x' of config class 'Config' cannot be read"):
        describe(attrs.frozen(type("Config", (), body)))


def test_field_that_nothing_fills_is_refused() -> None:
    """A forgotten env() is found before anything starts."""

    @attrs.frozen
    class Forgotten:
        port: int

    with pytest.raises(UsageError, match="field 'port' of config class 'Forgotten' is not read"):
        describe(Forgotten)


def test_class_that_is_not_attrs_is_refused() -> None:
    """A config class is an attrs class."""
    with pytest.raises(UsageError, match="expected an attrs class"):
        describe(int)


@attrs.frozen
class Endless:
    again: Endless | None


def test_class_that_embeds_itself_is_refused() -> None:
    """There is no environment with infinitely many variables."""
    with pytest.raises(UsageError, match="config class 'Endless' embeds itself"):
        describe(Endless)


def test_type_that_is_imported_for_checkers_only_is_refused() -> None:
    """Types are needed at run time; the error says where to import them."""

    @attrs.frozen
    class Money:
        price: Decimal = env("PRICE")

    with pytest.raises(UsageError, match="'Decimal' is not defined; import or define it"):
        describe(Money)


def test_config_is_made_of_fragments() -> None:
    """A service config embeds fragments to any depth, next to fields that are no variables."""
    config = load(
        Config,
        {"PORT": "80", "TLS_KEY": "k", "TLS_CERTIFICATE": "c", "DSN": "d", "LIMITS_TIMEOUT": "2s"},
    )

    assert config == Config(
        greeting="hello",
        limits=Limits(timeout=2.0),
        port=80,
        name=None,
        certificate=Certificate(key=Secret("k"), certificate="c", limits=Limits(timeout=2.0)),
        login=LocalDSN(dsn=Secret("d")),
        memory=InMemory(size=50),
        private=True,
    )


def test_variable_with_default_may_come_first() -> None:
    """Fields are in the order that reads best, also in a class that is not keyword-only."""
    body = {
        "__annotations__": {"greeting": str, "limits": Limits},
        "greeting": env("GREETING", default="hello"),
    }
    config = attrs.frozen(type("Config", (), body))

    assert load(config, {}) == config(Limits(timeout=1.5), greeting="hello")


def test_repr_shows_no_values() -> None:
    """A config in a log line or a debugger shows its shape, not its values."""
    config = load(Config, {"PORT": "8123", "GREETING": "bonjour", "DSN": "hunter2"})

    shown = repr(config)

    assert "8123" not in shown
    assert "bonjour" not in shown
    assert "hunter2" not in shown
    assert "port=***" in shown
    assert "login=LocalDSN(dsn=***)" in shown


def refuse(value: object) -> None:
    """Validate as carelessly as possible."""
    raise RuntimeError(f"bad value {value!r}")


def refuse_secret(secret: Secret) -> None:
    """Say a secret where only the expectation belongs."""
    raise InvalidValue(f"something other than {secret.reveal()}")


@attrs.frozen(kw_only=True)
class Leaky:
    """Everything in it tries to show its value."""

    number: int = env("NUMBER", default=1)
    flag: bool = env("FLAG", default=False, forbidden_when_msp=True)
    ratio: float = env("RATIO", default=1.0)
    duration: Duration = env("DURATION", default=1.0)
    percent: Percent = env("PERCENT", default=1)
    url: URL = env("URL", default="")
    colour: Colour = env("COLOUR", default=Colour.RED)
    letter: Literal["a"] = env("LETTER", default="a")
    numbers: list[int] = env("NUMBERS", default=[])
    refused: str = env("REFUSED", default="", validator=refuse)
    refused_secret: Secret = env("REFUSED_SECRET", default=Secret(""), validator=refuse_secret)
    forbidden: str | None = env("FORBIDDEN", forbidden_when_msp=True)


@attrs.frozen(kw_only=True)
class LeakyInit:
    text: str = env("TEXT")
    secret: Secret = env("SECRET")

    def __attrs_post_init__(self) -> None:
        """Refuse, with the values."""
        if self.text.startswith("Ж"):
            raise InvalidValue(f"a secret unlike {self.secret.reveal()}")
        raise ValueError(self.text, self.secret.reveal())


# Letters that none of our own texts use.
letters = st.text(st.characters(min_codepoint=0x0416, max_codepoint=0x04FF), min_size=1)
values = letters | letters.map("redis://:{}@host:6379/0".format) | letters.map("http://[{}".format)


def chain(error: BaseException) -> Iterator[BaseException]:
    """Return an error and everything it came from."""
    following: BaseException | None = error
    while following is not None:
        yield following
        following = following.__cause__ or following.__context__


@given(st.sampled_from([Leaky, LeakyInit]), st.data())
def test_problems_never_show_values(config: type[Any], data: st.DataObject) -> None:
    """Whatever is refused, and by whomever, its value is in no text that an error can become."""
    names = [variable.name for variable in describe(config)]
    text = data.draw(values)
    environ = {"MSP": data.draw(st.sampled_from(["true", "false"]))} | dict.fromkeys(names, text)

    with pytest.raises(ConfigError) as refused:
        load(config, environ)

    shown = "".join(traceback.format_exception(refused.value))
    shown += "".join(str(error) + repr(error) for error in chain(refused.value))
    shown += repr(refused.value.problems)
    secret = text.removeprefix("redis://:").removesuffix("@host:6379/0").removeprefix("http://[")
    assert text not in shown
    assert secret not in shown
    assert repr(secret)[1:-1] not in shown


@attrs.frozen(kw_only=True)
class Open:
    text: str = env("TEXT")
    secret: Secret = env("SECRET")
    path: Path = env("PATH_", default=Path())
    texts: tuple[str, ...] = env("TEXTS", default=())
    secrets: list[Secret] = env("SECRETS", default=[])


@given(letters)
def test_repr_never_shows_values(text: str) -> None:
    """What is accepted is shown as little as what is refused."""
    config = load(Open, {variable.name: text for variable in describe(Open)})

    assert text not in repr(config)
    assert text not in str(config)
