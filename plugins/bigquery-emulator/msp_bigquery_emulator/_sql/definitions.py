"""Definitions: statements that make, change and drop tables, views and datasets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs
from sqlglot import exp

from msp_bigquery_emulator._errors import BigQueryError, invalid_query, make_unsupported
from msp_bigquery_emulator._sql.tables import TableNames
from msp_bigquery_emulator._store.database import Cursor
from msp_bigquery_emulator._store.fields import Field
from msp_bigquery_emulator._store.storage import result_field

_KINDS: Final = ("TABLE", "VIEW", "SCHEMA")
_NOT_FOUND: Final = 404


@attrs.frozen
class Definitions:
    """Runs CREATE, ALTER TABLE ADD COLUMN and DROP.

    Attributes:
        cursor: in the transaction of the statement.
        names: of tables.
        sql: gives DuckDB's SQL of a query.
    """

    cursor: Cursor
    names: TableNames
    sql: Callable[[exp.Expr], str]

    def kind(self, statement: exp.Expr) -> str:
        """Return what job statistics call a statement, such as `CREATE_TABLE`.

        Raises:
            BigQueryError: it is not supported.
        """
        of = str(statement.args.get("kind") or "").upper()
        if not isinstance(statement, exp.Create | exp.Alter | exp.Drop) or of not in _KINDS:
            raise make_unsupported(f"the statement {statement.key.upper()} {of}".rstrip())
        selects = isinstance(statement, exp.Create) and of == "TABLE" and statement.expression
        return f"{statement.key.upper()}_{of}{'_AS_SELECT' if selects else ''}"

    def run(self, statement: exp.Expr) -> str:
        """Run a statement and return its kind.

        Raises:
            BigQueryError: it is not supported, or what it names exists or does not.
        """
        kind = self.kind(statement)
        run = {
            "CREATE_TABLE": self._create_table,
            "CREATE_TABLE_AS_SELECT": self._create_table,
            "CREATE_VIEW": self._create_view,
            "CREATE_SCHEMA": self._create_dataset,
            "ALTER_TABLE": self._add_columns,
            "DROP_TABLE": self._drop_table,
            "DROP_VIEW": self._drop_table,
            "DROP_SCHEMA": self._drop_dataset,
        }.get(kind)
        if run is None:
            raise make_unsupported(f"the statement {kind.replace('_', ' ')}")
        run(statement)
        return kind

    def _create_table(self, statement: exp.Expr) -> None:
        target = statement.this
        table = target.this if isinstance(target, exp.Schema) else target
        resource = _properties(statement)
        query = statement.expression
        if query:
            # First aside: the query may read the table that is replaced.
            self.cursor.execute(f'CREATE TEMP TABLE "msp$result" AS {self.sql(query)}')
        if isinstance(target, exp.Schema):
            fields = [_column(column) for column in target.expressions]
        else:
            fields = [field.resource() for field in self._fields_of_result(query)]
        created = self._create(statement, table, {"schema": {"fields": fields}} | resource)
        if query:
            if created:
                place = self.names.table(table).sql_name
                self.cursor.execute(f'INSERT INTO {place} BY NAME SELECT * FROM "msp$result"')
            self.cursor.execute('DROP TABLE "msp$result"')

    def _fields_of_result(self, query: exp.Expr | None) -> list[Field]:
        if not query:
            raise make_unsupported("CREATE TABLE without columns or query")
        self.cursor.execute('SELECT * FROM "msp$result" LIMIT 0')
        return [result_field(name, kind) for name, kind, *_ in self.cursor.description or ()]

    def _create_view(self, statement: exp.Expr) -> None:
        query = statement.expression.sql("bigquery")
        self.cursor.execute(f"SELECT * FROM ({self.sql(statement.expression)}) LIMIT 0")
        fields = [result_field(name, kind) for name, kind, *_ in self.cursor.description or ()]
        schema = {"fields": [field.resource() for field in fields]}
        view = {"query": query, "useLegacySql": False}
        self._create(statement, statement.this, {"schema": schema, "view": view})

    def _create(self, statement: exp.Expr, node: exp.Table, resource: dict[str, Any]) -> bool:
        """Create a table or view; return False when there is one and that is fine."""
        catalog, place = self.names.catalog, self.names.place(node)
        table = catalog.find_table(self.cursor, *place)
        if table is not None and statement.args.get("exists"):
            return False
        if table is not None and statement.args.get("replace"):
            catalog.delete_table(self.cursor, table)
        catalog.create_table(self.cursor, *place, resource)
        return True

    def _create_dataset(self, statement: exp.Expr) -> None:
        name = self._dataset(statement.this)
        catalog = self.names.catalog
        if statement.args.get("exists") and catalog.find_dataset(self.cursor, name) is not None:
            return
        catalog.create_dataset(self.cursor, name, {})

    def _dataset(self, node: exp.Expr) -> str:
        """Return the dataset that is named, as `dataset` or quoted with its project."""
        project, _, name = str(node.text("db")).rpartition(".")
        return self.names.place(exp.table_("t", db=name, catalog=project or node.text("catalog")))[
            0
        ]

    def _add_columns(self, statement: exp.Expr) -> None:
        table = self.names.table(statement.this)
        resource = table.resource
        names = {field.name.lower() for field in table.fields}
        for action in statement.args["actions"]:
            if not isinstance(action, exp.ColumnDef):
                raise make_unsupported("ALTER TABLE with anything but ADD COLUMN")
            if not (action.args.get("exists") and action.name.lower() in names):
                resource["schema"]["fields"].append(_column(action))
        self.names.catalog.put_table(self.cursor, table, resource)

    def _drop_table(self, statement: exp.Expr) -> None:
        for node in statement.args["tables"]:
            try:
                table = self.names.table(node)
            except BigQueryError as error:
                if statement.args.get("exists") and error.status == _NOT_FOUND:
                    continue
                raise
            if (statement.args["kind"] == "VIEW") != (table.view is not None):
                raise invalid_query(
                    f"{table.dataset}.{table.name} is not a {statement.args['kind']}"
                )
            self.names.catalog.delete_table(self.cursor, table)

    def _drop_dataset(self, statement: exp.Expr) -> None:
        catalog = self.names.catalog
        for node in statement.args["tables"]:
            name = self._dataset(node)
            if statement.args.get("exists") and catalog.find_dataset(self.cursor, name) is None:
                continue
            cascade = bool(statement.args.get("cascade"))
            catalog.delete_dataset(self.cursor, name, contents=cascade)


def _column(column: exp.Expr) -> dict[str, Any]:
    """Return the field resource of a column's definition."""
    resource = _of_type(column.name, column.args["kind"])
    for constraint in column.args.get("constraints") or ():
        kind = constraint.args["kind"]
        if isinstance(kind, exp.NotNullColumnConstraint):
            resource["mode"] = "REQUIRED"
        elif isinstance(kind, exp.Properties):
            resource |= _options(kind.expressions)
        elif isinstance(kind, exp.DefaultColumnConstraint):
            resource["defaultValueExpression"] = kind.this.sql("bigquery")
        else:
            raise make_unsupported(f"a column with {kind.sql('bigquery').split()[0]}")
    return resource


def _of_type(name: str, kind: exp.Expr) -> dict[str, Any]:
    if kind.this == exp.DataType.Type.ARRAY:
        return _of_type(name, kind.expressions[0]) | {"mode": "REPEATED"}
    if kind.this == exp.DataType.Type.STRUCT:
        members = [_column(member) for member in kind.expressions]
        return {"name": name, "type": "RECORD", "fields": members}
    resource = {"name": name, "type": kind.sql("bigquery").partition("(")[0]}
    numbers = [str(number.name) for number in kind.expressions]
    names = ("maxLength",) if resource["type"] in ("STRING", "BYTES") else ("precision", "scale")
    return resource | dict(zip(names, numbers, strict=False))


def _options(properties: list[exp.Expr]) -> dict[str, Any]:
    """Return the options that resources have too: description, friendly_name."""
    named = {option.name: option.args["value"] for option in properties if option.args.get("value")}
    known = {"description": "description", "friendly_name": "friendlyName"}
    return {known[name]: value.name for name, value in named.items() if name in known}


def _properties(statement: exp.Expr) -> dict[str, Any]:
    """Return the parts of a resource that PARTITION BY, CLUSTER BY and OPTIONS ask for."""
    resource: dict[str, Any] = {}
    properties = statement.args.get("properties")
    for one in properties.expressions if properties else ():
        if isinstance(one, exp.PartitionedByProperty):
            column = one.find(exp.Column)
            field = {"field": column.name} if column and column.name[0] != "_" else {}
            resource["timePartitioning"] = {"type": "DAY"} | field
        elif isinstance(one, exp.ClusterProperty):
            resource["clustering"] = {"fields": [column.name for column in one.expressions]}
        elif type(one) is exp.Property:
            resource |= _options([one])
        else:
            raise make_unsupported(f"CREATE with {one.key.removesuffix('property').upper()}")
    return resource
