-- Arrays: https://cloud.google.com/bigquery/docs/reference/standard-sql/array_functions

CREATE MACRO googlesql_arrays.array_offset(a, i) AS
    CASE WHEN googlesql_errors.refuse(i < 0 OR i >= len(a), 'Array index ' || i || ' is out of bounds') THEN NULL
    ELSE a[i + 1] END;
CREATE MACRO googlesql_arrays.array_ordinal(a, i) AS
    CASE WHEN googlesql_errors.refuse(i < 1 OR i > len(a), 'Array index ' || i || ' is out of bounds') THEN NULL
    ELSE a[i] END;
CREATE MACRO googlesql_arrays.array_safe_offset(a, i) AS CASE WHEN i >= 0 THEN a[i + 1] END;
CREATE MACRO googlesql_arrays.array_safe_ordinal(a, i) AS CASE WHEN i >= 1 THEN a[i] END;
