"""Types: what each expression of a statement is, as BigQuery's rules and the catalog say."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeAlias

from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.schema import Schema

from msp_bigquery_emulator._store.fields import Field

FieldsOf: TypeAlias = Callable[[exp.Table], Sequence[Field]]

COLUMNS: Final = "msp$columns"  # in a set operation's meta: of its sides
PARAMETER_TYPE: Final = "msp$type"  # in a parameter's meta
_DIALECT: Final = "bigquery"
_NAMES: Final = {
    "INTEGER": "INT64",
    "FLOAT": "FLOAT64",
    "BOOLEAN": "BOOL",
}
_KINDS: Final[Mapping[exp.DType, str]] = {
    exp.DType.BIGINT: "INT64",
    exp.DType.INT: "INT64",
    exp.DType.SMALLINT: "INT64",
    exp.DType.TINYINT: "INT64",
    exp.DType.UBIGINT: "INT64",
    exp.DType.DOUBLE: "FLOAT64",
    exp.DType.FLOAT: "FLOAT64",
    exp.DType.DECIMAL: "NUMERIC",
    exp.DType.BIGDECIMAL: "BIGNUMERIC",
    exp.DType.TEXT: "STRING",
    exp.DType.VARCHAR: "STRING",
    exp.DType.BINARY: "BYTES",
    exp.DType.VARBINARY: "BYTES",
    exp.DType.BOOLEAN: "BOOL",
    exp.DType.DATE: "DATE",
    exp.DType.TIME: "TIME",
    exp.DType.DATETIME: "DATETIME",
    exp.DType.TIMESTAMP: "DATETIME",
    exp.DType.TIMESTAMPTZ: "TIMESTAMP",
    exp.DType.JSON: "JSON",
    exp.DType.ARRAY: "ARRAY",
    exp.DType.STRUCT: "STRUCT",
    exp.DType.INTERVAL: "INTERVAL",
}
_RESULTS: Final[Mapping[str, str]] = {"IEEE_DIVIDE": "FLOAT64"}


def kind_of(node: exp.Expr | None) -> str:
    """Return the type's name without its parameters, such as `NUMERIC`; empty when unknown."""
    kind = None if node is None else node.type
    return "" if kind is None else kind_name(kind)


def kind_name(kind: exp.DataType) -> str:
    """Return a type's name without its parameters; empty when it is none of BigQuery's."""
    return _KINDS.get(kind.this, "")


def element_kind(node: exp.Expr) -> str:
    """Return the name of the type of an array's elements; empty when unknown."""
    kind = node.type
    inner = kind.expressions if kind is not None else ()
    return _KINDS.get(inner[0].this, "") if inner and isinstance(inner[0], exp.DataType) else ""


@cache
def field_type(field: Field) -> exp.DataType:
    """Return the type of a field."""
    return exp.DataType.build(_type_sql(field), dialect=_DIALECT)


def _type_sql(field: Field) -> str:
    if field.repeated:
        return f"ARRAY<{_type_sql(field.element)}>"
    if field.type == "RECORD":
        members = (f"`{member.name}` {_type_sql(member)}" for member in field.fields)
        return f"STRUCT<{', '.join(members)}>"
    return _NAMES.get(field.type, field.type)


def annotate(statement: exp.Expr, fields_of: FieldsOf) -> None:
    """Give each expression of a statement its type; what is not known stays without.

    Args:
        statement: as parsed; nothing but the types of its nodes changes.
        fields_of: gives the columns of a table by its name; none for a name that is not one.
    """
    schema = _Schema(fields_of)
    for part in _parts(statement):
        copied = part.copy()
        pairs = list(zip(part.walk(), copied.walk(), strict=True))
        annotated = _annotate_query(_as_query(copied), schema)
        # Qualified, a path `a.b` is another node, but its last name is the one that it was.
        paths = {id(dot.expression): dot.type for dot in annotated.find_all(exp.Dot)}
        for node, twin in pairs:
            if isinstance(node, exp.SetOperation) and node.args.get("by_name"):
                node.meta[COLUMNS] = (twin.this.named_selects, twin.expression.named_selects)
            if not node.is_data_type:
                node.type = _drop_unknown(twin.type) or _path_type(node, twin, paths)


def _drop_unknown(kind: exp.DataType | None) -> exp.DataType | None:
    unknown = kind is None or kind.this in (exp.DType.UNKNOWN, exp.DType.NULL)
    return None if unknown else kind


def _path_type(
    node: exp.Expr, twin: exp.Expr, paths: Mapping[int, exp.DataType | None]
) -> exp.DataType | None:
    if not isinstance(node, exp.Column) or not node.table:
        return None
    return _drop_unknown(paths.get(id(twin.this)))


def _annotate_query(query: exp.Expr, schema: Schema) -> exp.Expr:
    # Half qualified when it fails: literals and functions have their types all the same.
    with contextlib.suppress(SqlglotError, AttributeError, KeyError, TypeError, ValueError):
        query = qualify(
            query,
            dialect=_DIALECT,
            schema=schema,
            validate_qualify_columns=False,
            quote_identifiers=False,
            allow_partial_qualification=True,
        )
    return annotate_types(query, dialect=_DIALECT, schema=schema, expression_metadata=_metadata())


def _parts(statement: exp.Expr) -> list[exp.Expr]:
    """Return the parts of a statement that hold expressions: none, or one."""
    changed = isinstance(statement, exp.Insert | exp.Create)
    part = statement.expression if changed else statement
    return [part] if isinstance(part, exp.Query | exp.Update | exp.Delete | exp.Merge) else []


def _as_query(statement: exp.Expr) -> exp.Expr:
    """Return a query of the nodes of a change: what it reads, and from where."""
    if isinstance(statement, exp.Query):
        return statement
    if isinstance(statement, exp.Merge):
        values = [statement.args["on"], *statement.args["whens"].expressions]
        sources = [statement.args["using"]]
    else:
        values = [*statement.expressions, statement.args.get("where")]
        from_ = statement.args.get("from_")
        sources = [from_.this] if from_ else []
    select = exp.Select(expressions=[value for value in values if value is not None])
    select.set("from_", exp.From(this=statement.this))
    for source in sources:
        select.append("joins", exp.Join(this=source, kind="CROSS"))
    return select


class _Schema(Schema):
    """The catalog, as sqlglot asks it."""

    def __init__(self, fields_of: FieldsOf) -> None:
        self._fields_of = fields_of
        self._columns: dict[str, dict[str, exp.DataType]] = {}

    def _of(self, table: exp.Table | str) -> dict[str, exp.DataType]:
        table = exp.to_table(table)
        name = f"{table.catalog}.{table.db}.{table.name}"
        if name not in self._columns:
            fields = self._fields_of(table)
            self._columns[name] = {field.name.lower(): field_type(field) for field in fields}
        return self._columns[name]

    def add_table(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - Schema's
        """Take no further table: all are in the catalog."""

    def column_names(self, table: exp.Table | str, *_: Any, **__: Any) -> list[str]:  # noqa: ANN401 - Schema's
        """Return the names of a table's columns, in lower case."""
        return list(self._of(table))

    def get_column_type(
        self,
        table: exp.Table | str,
        column: exp.Column | str,
        *_: Any,  # noqa: ANN401 - Schema's
        **__: Any,  # noqa: ANN401 - Schema's
    ) -> exp.DataType:
        """Return the type of a column."""
        name = column if isinstance(column, str) else column.name
        return self._of(table).get(name.lower()) or exp.DType.UNKNOWN.into_expr()

    def get_udf_type(self, udf: exp.Anonymous | str, *_: Any, **__: Any) -> exp.DataType:  # noqa: ANN401 - Schema's
        """Return the result type of a function that sqlglot does not know."""
        name = udf if isinstance(udf, str) else udf.name
        return exp.DataType.build(_RESULTS.get(name.upper(), "UNKNOWN"), dialect=_DIALECT)

    # Parts of a table's name, and whether there can be none.
    supported_table_args = ("this", "db", "catalog")
    empty = False


@cache
def _metadata() -> dict[type[exp.Expr], Any]:
    """Return BigQuery's result types, with those of JSON's subscripts."""
    known: dict[type[exp.Expr], Any] = dict(BigQuery.EXPRESSION_METADATA)
    for accessor in (exp.Dot, exp.Bracket):
        known[accessor] = {"annotator": _within_json(known[accessor]["annotator"])}
    for operation in (exp.Add, exp.Div, exp.Mul, exp.SafeDivide, exp.Sub):
        known[operation] = {"annotator": _with_literal(known[operation]["annotator"])}
    known[exp.Parameter] = {"annotator": _parameter}
    return known


def is_float_literal(node: exp.Expr) -> bool:
    """Whether a node is a literal such as 1.5, which is NUMERIC beside one."""
    node = node.this if isinstance(node, exp.Neg) else node
    return isinstance(node, exp.Literal) and not node.is_string and not node.is_int


def _with_literal(other: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def annotate_operation(self: Any, node: exp.Expr) -> Any:  # noqa: ANN401 - sqlglot's
        annotated = other(self, node)
        for one, beside in ((node.this, node.expression), (node.expression, node.this)):
            if is_float_literal(one) and kind_of(beside) in ("NUMERIC", "BIGNUMERIC"):
                self._set_type(node, beside.type)
        return annotated

    return annotate_operation


def _parameter(annotator: Any, node: exp.Expr) -> Any:  # noqa: ANN401 - sqlglot's
    annotator._set_type(node, node.meta.get(PARAMETER_TYPE))  # noqa: SLF001 - annotators are its parts
    return node


def _within_json(other: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def annotate_member(self: Any, node: exp.Expr) -> Any:  # noqa: ANN401 - sqlglot's
        if kind_of(node.this) != "JSON":
            return other(self, node)
        self._set_type(node, exp.DType.JSON)
        return node

    return annotate_member
