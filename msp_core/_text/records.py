"""Records as JSON: what every `--format json` and the diagnostics print, by one converter.

cattrs is imported when the first record is printed; a start prints none.
"""

from __future__ import annotations

import functools
import json
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from cattrs import Converter

_KEY = "msp_core.records"

# Metadata of a field that is no part of the JSON.
NEVER_SHOWN = MappingProxyType({_KEY: "omit"})

# Metadata of a field that is in the JSON only when it differs from its default, after the others.
SHOWN_WHEN_SET = MappingProxyType({_KEY: "omit_if_default"})


def render_json(record: object, *, indent: int | None = 2) -> str:
    """Return a record as JSON: its fields in order, those that are made by a default too.

    Args:
        record: an attrs instance, or a mapping or sequence of them; times are written in ISO 8601.
        indent: spaces of each level; None for one line.
    """
    return json.dumps(load_converter().unstructure(record), indent=indent)


@functools.cache
def load_converter() -> Converter:
    """Import cattrs, which takes about 12 ms, and return the converter of all records."""
    from cattrs import Converter, override  # noqa: PLC0415 - see the module's first lines
    from cattrs.gen import make_dict_unstructure_fn  # noqa: PLC0415 - same

    def unstructure_class(cls: type[Any], converter: Converter) -> Any:  # noqa: ANN401 - a hook
        overrides: dict[str, Any] = {
            field.name: override(
                omit=field.metadata[_KEY] == "omit",
                omit_if_default=field.metadata[_KEY] == "omit_if_default",
            )
            for field in attrs.fields(cls)
            if _KEY in field.metadata
        }
        return make_dict_unstructure_fn(
            cls, converter, _cattrs_include_init_false=True, **overrides
        )

    converter = Converter()
    converter.register_unstructure_hook_factory(attrs.has, unstructure_class)
    converter.register_unstructure_hook(datetime, datetime.isoformat)
    return converter
