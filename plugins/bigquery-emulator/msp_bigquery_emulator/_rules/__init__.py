"""Rules: what in expressions is written otherwise for DuckDB, one family a module.

A family maps classes of nodes to rules. A rule takes a node whose parts are rewritten already and
gives what stands for it, perhaps itself. Rules in `TYPED` read the types of the node's parts.
"""
