-- Arrays: https://cloud.google.com/bigquery/docs/reference/standard-sql/array_functions

CREATE MACRO googlesql_arrays.array_offset(a, i) AS
    CASE WHEN googlesql_errors.refuse(i < 0 OR i >= len(a), 'Array index ' || i || ' is out of bounds') THEN NULL
    ELSE a[i + 1] END;
CREATE MACRO googlesql_arrays.array_ordinal(a, i) AS
    CASE WHEN googlesql_errors.refuse(i < 1 OR i > len(a), 'Array index ' || i || ' is out of bounds') THEN NULL
    ELSE a[i] END;
CREATE MACRO googlesql_arrays.array_safe_offset(a, i) AS CASE WHEN i >= 0 THEN a[i + 1] END;
CREATE MACRO googlesql_arrays.array_safe_ordinal(a, i) AS CASE WHEN i >= 1 THEN a[i] END;
CREATE MACRO googlesql_arrays.is_distinct(a) AS
    CASE WHEN a IS NOT NULL THEN len(list_distinct(a)) + CASE WHEN list_count(a) < len(a) THEN 1 ELSE 0 END = len(a) END;
CREATE MACRO googlesql_arrays.includes(a, one) AS list_contains(a, one);
CREATE MACRO googlesql_arrays.first(a) AS googlesql_arrays.array_offset(a, 0);
CREATE MACRO googlesql_arrays.last(a) AS
    CASE WHEN googlesql_errors.refuse(len(a) = 0, 'ARRAY_LAST cannot get the last element of an empty array') THEN NULL ELSE a[len(a)] END;
-- Both ends are meant, counted from 0, or from the end when they are negative.
CREATE MACRO googlesql_arrays.place(a, i) AS CASE WHEN i < 0 THEN len(a) + i ELSE i END;
CREATE MACRO googlesql_arrays.slice(a, first, last) AS
    CASE WHEN a IS NULL OR first IS NULL OR last IS NULL THEN NULL
    WHEN googlesql_arrays.place(a, last) < 0 THEN a[1:0]
    ELSE a[greatest(googlesql_arrays.place(a, first), 0) + 1 : googlesql_arrays.place(a, last) + 1] END;
