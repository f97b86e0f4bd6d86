"""Config: what the example reads beside the contract."""

import attrs

from msp_core import env


@attrs.frozen(kw_only=True)
class Config:
    """Options of the example service.

    Attributes:
        stateless_mode: serve without any dependency. From `STATELESS_MODE`, default False.
        variable: what `/` answers with. From `VARIABLE`, default `13`.
    """

    stateless_mode: bool = env("STATELESS_MODE", default=False, help="serve without any dependency")
    variable: str = env("VARIABLE", default="13", help="what / answers with")
