"""A local BigQuery that Google's unmodified clients talk to: an emulator, not BigQuery.

Started as a process of its own, `msp-bigquery-emulator`, or inside one, with
`msp_bigquery_emulator.emulator.Emulator`. A reader starts at `emulator`; the map:

* `__main__` the command; `emulator` the one object that holds all the others.
* `_rest`: BigQuery's REST API. `_write_api`: the Storage Write API over gRPC.
* `_jobs`: queries, loads and inserts, and what became of them. `_sql`: how SQL is run.
* `_store`: what is kept and where; schemas, and values on their way in and out.

Importing this package imports none of DuckDB, sqlglot and gRPC.
"""
