"""What of a variable's text must be hidden: secrets, and the passwords of URLs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from msp_core.secret import passwords_in, texts_to_hide

Schema: TypeAlias = Mapping[str, Any]


def hidden_texts(
    text: str, type_name: str, schema: Schema | None, *, secret: bool
) -> frozenset[str]:
    """Return the texts to hide, parts of a list and of JSON too; whatever is wrong with it.

    Args:
        text: of the variable; empty when it is not set.
        type_name: as `Variable.type` has it.
        schema: of a variable that holds JSON; None for others.
        secret: whether it is a secret, or holds one.
    """
    if schema is not None:
        return _hidden_in_json(text, schema, secret=secret)
    hide = texts_to_hide if secret else passwords_in
    parts = [text]
    if type_name.startswith("list of "):
        parts += [part.strip() for part in text.split(",")]
    return frozenset().union(*map(hide, parts))


def _hidden_in_json(text: str, schema: Schema, *, secret: bool) -> frozenset[str]:
    """Return the secrets in a text, and the passwords of URLs in it.

    Args:
        text: of the variable; one that is no JSON is hidden as a whole, when it has secrets.
        schema: of what it should hold.
        secret: whether there is a secret in that.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return texts_to_hide(text) if secret else passwords_in(text)
    found = map(passwords_in, _find_texts(value))
    hidden = map(texts_to_hide, _find_secrets(value, [schema]) if secret else ())
    return frozenset().union(*found, *hidden)


def _find_secrets(value: Any, schemas: Sequence[Schema]) -> Iterator[str]:  # noqa: ANN401 - parsed JSON
    """Yield the texts where a schema has a secret, and those for which there is no schema.

    A key that nobody knows may be a misspelt one, and what it stands for a secret.
    """
    flat = [one for schema in schemas for one in schema.get("anyOf", [schema])]
    if not flat or any(schema.get("writeOnly") for schema in flat):
        yield from _find_texts(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _find_secrets(inner, [one for schema in flat for one in _below(schema, key)])
    elif isinstance(value, list):
        items = [one for schema in flat for one in _items(schema)]
        for inner in value:
            yield from _find_secrets(inner, items)


def _find_texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - parsed JSON
    """Yield every text and number, those of keys left out."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _find_texts(inner)
    elif value is not None and not isinstance(value, bool):
        yield value if isinstance(value, str) else json.dumps(value)


def _below(schema: Schema, key: str) -> Iterator[Schema]:
    if not schema:  # of any JSON
        yield schema
    elif key in schema.get("properties", ()):
        yield schema["properties"][key]
    elif schema.get("additionalProperties"):
        yield schema["additionalProperties"]


def _items(schema: Schema) -> Iterator[Schema]:
    if not schema or "items" in schema:
        yield schema.get("items", schema)
