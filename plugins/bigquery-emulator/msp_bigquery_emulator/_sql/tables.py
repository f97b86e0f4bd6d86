"""TableNames: what a name in a query stands for: a table, a view, or a list of what exists."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import sqlglot
from sqlglot import exp

from msp_bigquery_emulator._errors import (
    BigQueryError,
    invalid,
    invalid_query,
    make_unsupported,
)
from msp_bigquery_emulator._sql.information_schema import PREFIX, relation, relation_fields
from msp_bigquery_emulator._sql.rewriting import rewrite
from msp_bigquery_emulator._sql.sql import parse
from msp_bigquery_emulator._store.catalog import Catalog, Table
from msp_bigquery_emulator._store.database import Cursor
from msp_bigquery_emulator._store.fields import Field

_DEEPEST = 16  # views of views, BigQuery's limit


@attrs.frozen
class TableNames:
    """Resolves the names of one statement.

    Attributes:
        catalog: of tables.
        cursor: to read the catalog with.
        default_dataset: of names without one; None for none.
        known: names that the statement defines itself (WITH), in lower case.
        depth: of views around the statement.
    """

    catalog: Catalog
    cursor: Cursor
    default_dataset: str | None
    known: frozenset[str] = frozenset()
    depth: int = 0

    def with_ctes(self, statement: exp.Expr) -> TableNames:
        """Return these names together with those that a statement defines."""
        ctes = frozenset(cte.alias.lower() for cte in statement.find_all(exp.CTE))
        return attrs.evolve(self, known=ctes)

    def __call__(self, node: exp.Table) -> exp.Expr:
        """Return what stands for a table's name in DuckDB's SQL.

        Raises:
            BigQueryError: there is no such table.
        """
        if not node.name or not isinstance(node.this, exp.Identifier):
            raise make_unsupported("a table function")
        if not node.db and node.name.lower() in self.known:
            return node
        if node.name.upper().startswith(PREFIX):
            return self._information_table(node)
        table = self.table(node)
        if table.view is not None:
            return _alias(self._view(table.view), node)
        if not table.fields:
            raise invalid_query(f"Table {table.dataset}.{table.name} does not have a schema")
        node.set("catalog", exp.to_identifier(table.database))
        node.set("db", exp.to_identifier(table.dataset, quoted=True))
        node.set("this", exp.to_identifier(table.name, quoted=True))
        return node

    def fields(self, node: exp.Table) -> Sequence[Field]:
        """Return the columns of what is named; none when it is no table, or there is none."""
        if not node.db and node.name.lower() in self.known:
            return ()
        if node.name.upper().startswith(PREFIX):
            return relation_fields(node.name[len(PREFIX) :].upper())
        return self.table(node).fields

    def place(self, node: exp.Table) -> tuple[str, str]:
        """Return (dataset, table) of a name, whether it exists or not.

        Raises:
            BigQueryError: it names another project, of which there is none, or no dataset.
        """
        if node.catalog and node.catalog != self.catalog.project:
            table = f"{node.catalog}:{node.db}.{node.name}"
            raise BigQueryError(
                403,
                "accessDenied",
                f"Access Denied: Table {table}: User does not have permission to query table "
                f"{table}, or perhaps it does not exist.",
            )
        dataset = node.db or self.default_dataset
        if not dataset:
            raise invalid(
                f'Table "{node.name}" must be qualified with a dataset (e.g. dataset.table).'
            )
        return dataset, node.name

    def table(self, node: exp.Table) -> Table:
        """Return the table that is named.

        Raises:
            BigQueryError: there is none.
        """
        return self.catalog.table(self.cursor, *self.place(node))

    def find(self, node: exp.Table) -> Table | None:
        """Return the table that is named; None when there is none."""
        return self.catalog.find_table(self.cursor, *self.place(node))

    def _information_table(self, node: exp.Table) -> exp.Expr:
        dataset = node.db or self.default_dataset
        sql = relation(node.name[len(PREFIX) :].upper(), self.catalog, self.cursor, dataset)
        return _alias(sqlglot.parse_one(sql, read="duckdb"), node)

    def _view(self, query: str) -> exp.Expr:
        if self.depth >= _DEEPEST:
            raise invalid_query(f"Views are nested more than {_DEEPEST} deep")
        statement = parse(query)
        inner = attrs.evolve(self, default_dataset=None, depth=self.depth + 1)
        return rewrite(statement, table=inner.with_ctes(statement), parameters={})


def _alias(query: exp.Expr, node: exp.Table) -> exp.Expr:
    """Return a query in the place of a name, with the name it had there."""
    name = node.alias or node.name.rpartition(".")[2]
    return exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
