"""A local BigQuery that Google's unmodified clients talk to: an emulator, not BigQuery.

Started as a process of its own, `msp-bigquery-emulator`, or inside one, with
`msp_bigquery_emulator.emulator.Emulator`. A reader starts at `emulator`; the map:

* `__main__` the command; `emulator` the one object that holds all the others.
* `_database`, `_catalog`, `_schema_files`: what is kept, and where.
* `_fields`, `_storage`, `_values`, `_cells`: schemas, and values on their way in and out.
* `_rows`, `_insert_ids`, `_write_streams`, `_proto_rows`: how rows come in.
* `_sql`, `_tables`, `_parameters`, `_statements`, `_queries`, `_jobs`, `_loads`: how SQL is run.
* `_http`, `_routes`, `_datasets_api`, `_tables_api`, `_jobs_api`, `_uploads`: BigQuery's REST API.
* `_grpc`: the Storage Write API.

Importing this package imports none of DuckDB, sqlglot and gRPC.
"""
