-- JSON: https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions

-- Text that is no JSON gives NULL, as BigQuery does.
CREATE MACRO googlesql_json.read(x) AS CASE WHEN json_valid(x) THEN CAST(x AS JSON) END;
CREATE MACRO googlesql_json.scalar(j, path) AS
    CASE json_type(j, path) WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL ELSE json_extract_string(j, path) END;
CREATE MACRO googlesql_json.query_text(j, path) AS
    CASE WHEN json_type(j, path) <> 'NULL' THEN CAST(json_extract(j, path) AS VARCHAR) END;
CREATE MACRO googlesql_json.elements(j, path) AS
    CASE WHEN json_type(j, path) = 'ARRAY' THEN CAST(json_extract(j, path) AS JSON[]) END;
CREATE MACRO googlesql_json.element_texts(j, path) AS
    list_transform(googlesql_json.elements(j, path), lambda one: CAST(one AS VARCHAR));
CREATE MACRO googlesql_json.scalars(j, path) AS
    CASE WHEN len(list_filter(googlesql_json.elements(j, path), lambda one: json_type(one) IN ('OBJECT', 'ARRAY'))) = 0
    THEN list_transform(googlesql_json.elements(j, path), lambda one: json_extract_string(one, '$')) END;
CREATE MACRO googlesql_json.type(j) AS
    CASE json_type(j) WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array' WHEN 'VARCHAR' THEN 'string'
    WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null' ELSE CASE WHEN j IS NOT NULL THEN 'number' END END;
CREATE MACRO googlesql_json.string(j) AS
    CASE WHEN googlesql_errors.refuse(googlesql_json.type(j) <> 'string', 'The provided JSON input is not a string') THEN NULL
    ELSE json_extract_string(j, '$') END;
CREATE MACRO googlesql_json.bool(j) AS
    CASE WHEN googlesql_errors.refuse(googlesql_json.type(j) <> 'boolean', 'The provided JSON input is not a boolean') THEN NULL
    ELSE CAST(json_extract_string(j, '$') AS BOOLEAN) END;
CREATE MACRO googlesql_json.int64(j) AS
    CASE WHEN googlesql_errors.refuse(googlesql_json.type(j) <> 'number' OR CAST(json_extract_string(j, '$') AS DOUBLE) <> trunc(CAST(json_extract_string(j, '$') AS DOUBLE)), 'The provided JSON input is not an integer') THEN NULL
    WHEN json_type(j) = 'DOUBLE' THEN CAST(CAST(json_extract_string(j, '$') AS DOUBLE) AS BIGINT)
    ELSE CAST(json_extract_string(j, '$') AS BIGINT) END;
CREATE MACRO googlesql_json.float64(j) AS
    CASE WHEN googlesql_errors.refuse(googlesql_json.type(j) <> 'number', 'The provided JSON input is not a number') THEN NULL
    ELSE CAST(json_extract_string(j, '$') AS DOUBLE) END;
CREATE MACRO googlesql_json.lax_string(j) AS
    CASE googlesql_json.type(j) WHEN 'string' THEN json_extract_string(j, '$') WHEN 'boolean' THEN json_extract_string(j, '$')
    WHEN 'number' THEN CASE WHEN json_type(j) = 'DOUBLE' THEN googlesql_casts.float_text(CAST(json_extract_string(j, '$') AS DOUBLE)) ELSE json_extract_string(j, '$') END END;
CREATE MACRO googlesql_json.lax_bool(j) AS
    CASE googlesql_json.type(j) WHEN 'boolean' THEN CAST(json_extract_string(j, '$') AS BOOLEAN)
    WHEN 'string' THEN CASE lower(json_extract_string(j, '$')) WHEN 'true' THEN true WHEN 'false' THEN false END
    WHEN 'number' THEN CAST(json_extract_string(j, '$') AS DOUBLE) <> 0 END;
CREATE MACRO googlesql_json.lax_int64(j) AS
    CASE googlesql_json.type(j) WHEN 'boolean' THEN CAST(CAST(json_extract_string(j, '$') AS BOOLEAN) AS BIGINT)
    WHEN 'array' THEN NULL WHEN 'object' THEN NULL
    ELSE coalesce(CASE WHEN regexp_full_match(json_extract_string(j, '$'), '[+-]?\d+') THEN try_cast(json_extract_string(j, '$') AS BIGINT) END,
        try_cast(round(try_cast(json_extract_string(j, '$') AS DOUBLE)) AS BIGINT)) END;
CREATE MACRO googlesql_json.lax_float64(j) AS
    CASE googlesql_json.type(j) WHEN 'number' THEN CAST(json_extract_string(j, '$') AS DOUBLE)
    WHEN 'string' THEN try_cast(json_extract_string(j, '$') AS DOUBLE) END;
CREATE MACRO googlesql_json.to_text(x) AS coalesce(CAST(to_json(x) AS VARCHAR), 'null');
CREATE MACRO googlesql_json.strings(j) AS
    CASE WHEN googlesql_errors.refuse(googlesql_json.type(j) <> 'array', 'The provided JSON input is not an array') THEN NULL
    ELSE list_transform(CAST(j AS JSON[]), lambda one: googlesql_json.string(one)) END;
CREATE MACRO googlesql_json.ints(j) AS
    CASE WHEN googlesql_errors.refuse(googlesql_json.type(j) <> 'array', 'The provided JSON input is not an array') THEN NULL
    ELSE list_transform(CAST(j AS JSON[]), lambda one: googlesql_json.int64(one)) END;
CREATE MACRO googlesql_json.floats(j) AS
    CASE WHEN googlesql_errors.refuse(googlesql_json.type(j) <> 'array', 'The provided JSON input is not an array') THEN NULL
    ELSE list_transform(CAST(j AS JSON[]), lambda one: googlesql_json.float64(one)) END;
CREATE MACRO googlesql_json.bools(j) AS
    CASE WHEN googlesql_errors.refuse(googlesql_json.type(j) <> 'array', 'The provided JSON input is not an array') THEN NULL
    ELSE list_transform(CAST(j AS JSON[]), lambda one: googlesql_json.bool(one)) END;
-- What JSON has no type for is text in it.
CREATE MACRO googlesql_json.from_bytes(x) AS to_base64(x);
CREATE MACRO googlesql_json.from_datetime(x) AS replace(googlesql_casts.moment_text(x), ' ', 'T');
CREATE MACRO googlesql_json.from_time(x) AS googlesql_casts.time_text(x);
CREATE MACRO googlesql_json.from_timestamp(x) AS
    replace(googlesql_casts.moment_text(timezone('UTC', x)), ' ', 'T') || 'Z';
CREATE MACRO googlesql_json.from_float64(x) AS
    CASE WHEN isfinite(x) THEN to_json(x) WHEN isnan(x) THEN to_json('NaN') WHEN x > 0 THEN to_json('Infinity') WHEN x < 0 THEN to_json('-Infinity') END;
CREATE MACRO googlesql_json.remove(j, path, patch) AS
    CASE WHEN json_exists(j, path) THEN json_merge_patch(CAST(j AS JSON), CAST(patch AS JSON)) ELSE CAST(j AS JSON) END;
CREATE MACRO googlesql_json.top_keys(j) AS
    CASE WHEN googlesql_json.type(j) = 'object' THEN list_sort(json_keys(j)) WHEN j IS NOT NULL THEN [] END;
-- Of members of members too, but not of those in arrays.
CREATE MACRO googlesql_json.keys(j) AS
    CASE WHEN j IS NOT NULL THEN coalesce((SELECT list_sort(list(substr(fullkey, 3))) FROM json_tree(j) WHERE key IS NOT NULL AND NOT contains(fullkey, '[')), []) END;
