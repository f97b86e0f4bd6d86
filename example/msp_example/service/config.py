"""Config: what the example reads beside the contract."""

import attrs

from msp_core import env
from msp_example.internal.turnstile import TurnstileConfig


@attrs.frozen(kw_only=True)
class Config:
    """Options of the example service, with those of its parts, each declared beside the part.

    Attributes:
        stateless_mode: serve without any dependency. From `STATELESS_MODE`, default False.
        variable: what `/` answers with. From `VARIABLE`, default `13`.
        turnstile: how many visits are counted at once.
    """

    stateless_mode: bool = env("STATELESS_MODE", default=False, help="serve without any dependency")
    variable: str = env("VARIABLE", default="13", help="what / answers with")
    turnstile: TurnstileConfig
