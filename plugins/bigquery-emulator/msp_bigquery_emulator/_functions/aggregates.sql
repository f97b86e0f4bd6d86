-- Aggregates: https://cloud.google.com/bigquery/docs/reference/standard-sql/approximate_aggregate_functions
CREATE MACRO googlesql_aggregates.top_count(counts, n) AS
    list_transform(list_slice(list_sort(list_transform(map_entries(counts), lambda e: {'count': -CAST(e.value AS BIGINT), 'value': e.key})), 1, n),
        lambda e: {'value': e.value, 'count': -e.count});
