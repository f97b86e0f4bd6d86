-- Conversion: https://cloud.google.com/bigquery/docs/reference/standard-sql/conversion_rules

CREATE MACRO googlesql_casts.float_text(x) AS
    CASE WHEN isnan(x) THEN 'NaN' WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'inf' ELSE '-inf' END
    WHEN CAST(printf('%.15g', x) AS DOUBLE) = x THEN printf('%.15g', x) ELSE printf('%.17g', x) END;
CREATE MACRO googlesql_casts.numeric_text(x) AS
    regexp_replace(CAST(x AS VARCHAR), '(\.\d*?[1-9])0+$|\.0+$', '\1');
CREATE MACRO googlesql_casts.float_int(x) AS
    CASE WHEN googlesql_errors.refuse(isnan(x) OR isinf(x), 'Illegal conversion of non-finite floating point number to an integer: ' || googlesql_casts.float_text(x)) THEN NULL
    ELSE CAST(round(x) AS BIGINT) END;
CREATE MACRO googlesql_casts.text_int(x) AS
    CASE WHEN regexp_full_match(x, '\s*[+-]?\d+\s*') THEN CAST(x AS BIGINT)
    WHEN regexp_full_match(x, '\s*[+-]?0[xX][0-9a-fA-F]+\s*')
    THEN CAST(replace(trim(lower(x)), '+', '') AS BIGINT)
    WHEN googlesql_errors.refuse(x IS NOT NULL, 'Bad int64 value: ' || x) THEN NULL END;
CREATE MACRO googlesql_casts.text_bool(x) AS
    CASE lower(x) WHEN 'true' THEN true WHEN 'false' THEN false
    ELSE CASE WHEN googlesql_errors.refuse(x IS NOT NULL, 'Bad bool value: ' || x) THEN NULL END END;
-- Seconds have no fraction, or three digits, or six.
CREATE MACRO googlesql_casts.moment_text(x) AS
    CASE WHEN extract('microsecond' FROM x) % 1000000 = 0 THEN strftime(x, '%Y-%m-%d %H:%M:%S')
    WHEN extract('microsecond' FROM x) % 1000 = 0 THEN strftime(x, '%Y-%m-%d %H:%M:%S.%g')
    ELSE strftime(x, '%Y-%m-%d %H:%M:%S.%f') END;
CREATE MACRO googlesql_casts.timestamp_text(x, zone) AS
    googlesql_casts.moment_text(googlesql_dates.local(x, zone)) || googlesql_dates.zone_offset(x, zone);
CREATE MACRO googlesql_casts.time_text(x) AS
    substr(googlesql_casts.moment_text(DATE '1970-01-01' + x), 12);
-- Values as FORMAT shows them with %t and %T.
CREATE MACRO googlesql_casts.float_literal(x) AS
    CASE WHEN regexp_full_match(googlesql_casts.float_text(x), '-?\d+') THEN googlesql_casts.float_text(x) || '.0' ELSE googlesql_casts.float_text(x) END;
CREATE MACRO googlesql_casts.text_literal(x) AS
    coalesce(CASE WHEN contains(x, '"') AND NOT contains(x, '''') THEN '''' || replace(replace(x, '\', '\\'), chr(10), '\n') || ''''
    ELSE '"' || replace(replace(replace(x, '\', '\\'), '"', '\"'), chr(10), '\n') || '"' END, 'NULL');
CREATE MACRO googlesql_casts.typed_literal(kind, x) AS coalesce(kind || ' "' || x || '"', 'NULL');
CREATE MACRO googlesql_casts.list_text_plain(a) AS '[' || array_to_string(list_transform(a, lambda one: coalesce(CAST(one AS VARCHAR), 'NULL')), ', ') || ']';
CREATE MACRO googlesql_casts.list_text_text(a) AS googlesql_casts.list_text_plain(a);
CREATE MACRO googlesql_casts.list_text_float(a) AS '[' || array_to_string(list_transform(a, lambda one: coalesce(googlesql_casts.float_literal(one), 'NULL')), ', ') || ']';
CREATE MACRO googlesql_casts.list_literal_plain(a) AS googlesql_casts.list_text_plain(a);
CREATE MACRO googlesql_casts.list_literal_float(a) AS googlesql_casts.list_text_float(a);
CREATE MACRO googlesql_casts.list_literal_text(a) AS '[' || array_to_string(list_transform(a, lambda one: googlesql_casts.text_literal(one)), ', ') || ']';
CREATE MACRO googlesql_casts.text_float(x) AS
    CASE WHEN googlesql_errors.refuse(x IS NOT NULL AND try_cast(x AS DOUBLE) IS NULL, 'Bad double value: ' || x) THEN NULL
    ELSE try_cast(x AS DOUBLE) END;
