-- Order of floating point numbers: https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#floating_point_semantics
CREATE MACRO googlesql_comparisons.sort_key(x) AS
    CASE WHEN isnan(x) THEN CAST('-inf' AS DOUBLE) ELSE x END;
