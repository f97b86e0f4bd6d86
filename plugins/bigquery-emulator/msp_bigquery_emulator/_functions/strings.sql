-- Strings and bytes: https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions

-- Position 0 is 1; one further left than the first character is the first.
CREATE MACRO googlesql_strings.begin(size, start) AS
    CASE WHEN start = 0 OR start < -size THEN 1 WHEN start < 0 THEN size + start + 1 ELSE start END;
CREATE MACRO googlesql_strings.text_part1(x, start) AS
    substr(x, googlesql_strings.begin(length(x), start));
CREATE MACRO googlesql_strings.text_part2(x, start, size) AS
    CASE WHEN googlesql_errors.refuse(size < 0, 'Third argument in SUBSTR() cannot be negative') THEN NULL
    ELSE substr(x, googlesql_strings.begin(length(x), start), size) END;
CREATE MACRO googlesql_strings.bytes_part1(x, start) AS
    unhex(substr(hex(x), googlesql_strings.begin(octet_length(x), start) * 2 - 1));
CREATE MACRO googlesql_strings.bytes_part2(x, start, size) AS
    CASE WHEN googlesql_errors.refuse(size < 0, 'Third argument in SUBSTR() cannot be negative') THEN NULL
    ELSE unhex(substr(hex(x), googlesql_strings.begin(octet_length(x), start) * 2 - 1, size * 2)) END;
CREATE MACRO googlesql_strings.positions(x, part) AS
    list_filter(range(1, length(x) + 1), lambda i: substr(x, i, length(part)) = part);
CREATE MACRO googlesql_strings.instr(x, part, start, nth) AS
    CASE WHEN googlesql_errors.refuse(start = 0 OR nth < 1, 'Position and occurrence of INSTR must not be 0') THEN NULL
    WHEN x IS NULL OR part IS NULL OR start IS NULL OR nth IS NULL THEN NULL
    WHEN start > 0 THEN coalesce(list_filter(googlesql_strings.positions(x, part), lambda i: i >= start)[nth], 0)
    ELSE coalesce(list_reverse(list_filter(googlesql_strings.positions(x, part), lambda i: i <= length(x) + start + 1))[nth], 0) END;
CREATE MACRO googlesql_strings.regexp_position(x, pattern, before) AS
    CASE WHEN regexp_matches(x, pattern) THEN length(regexp_extract(x, before, 1)) + 1 WHEN x IS NOT NULL THEN 0 END;
CREATE MACRO googlesql_strings.regexp_end(x, pattern, whole) AS
    CASE WHEN regexp_matches(x, pattern) THEN length(regexp_extract(x, whole, 1)) + 1 WHEN x IS NOT NULL THEN 0 END;
CREATE MACRO googlesql_strings.upper(x) AS upper(replace(x, 'ß', 'SS'));
CREATE MACRO googlesql_strings.chr(x) AS CASE WHEN x = 0 THEN '' ELSE chr(CAST(x AS INTEGER)) END;
CREATE MACRO googlesql_strings.unicode(x) AS CASE WHEN x = '' THEN 0 ELSE CAST(unicode(x) AS BIGINT) END;
CREATE MACRO googlesql_strings.code_points_text(a) AS
    array_to_string(list_transform(a, lambda one: chr(CAST(one AS INTEGER))), '');
CREATE MACRO googlesql_strings.code_points_bytes(a) AS
    unhex(array_to_string(list_transform(a, lambda one: printf('%02x', CAST(one AS INTEGER))), ''));
CREATE MACRO googlesql_strings.text_code_points(x) AS
    CASE WHEN x = '' THEN [] ELSE list_transform(string_split(x, ''), lambda one: CAST(unicode(one) AS BIGINT)) END;
CREATE MACRO googlesql_strings.byte_values(x) AS
    list_transform(range(octet_length(x)), lambda i: CAST('0x' || substr(hex(x), i * 2 + 1, 2) AS BIGINT));
CREATE MACRO googlesql_strings.bytes_code_points(x) AS googlesql_strings.byte_values(x);
CREATE MACRO googlesql_strings.bits(x) AS
    array_to_string(list_transform(googlesql_strings.byte_values(x), lambda one: lpad(bin(one), 8, '0')), '');
CREATE MACRO googlesql_strings.base32(bits) AS
    rpad(array_to_string(list_transform(range((length(bits) + 4) // 5),
        lambda i: substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', CAST('0b' || rpad(substr(bits, i * 5 + 1, 5), 5, '0') AS INTEGER) + 1, 1)), ''),
        CAST((length(bits) + 39) // 40 * 8 AS INTEGER), '=');
CREATE MACRO googlesql_strings.to_base32(x) AS
    CASE WHEN octet_length(x) = 0 THEN '' ELSE googlesql_strings.base32(googlesql_strings.bits(x)) END;
CREATE MACRO googlesql_strings.base32_bits(x) AS
    array_to_string(list_transform(string_split(rtrim(x, '='), ''),
        lambda one: lpad(bin(strpos('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', one) - 1), 5, '0')), '');
CREATE MACRO googlesql_strings.from_base32(x) AS
    CASE WHEN googlesql_errors.refuse(NOT regexp_full_match(x, '[A-Z2-7]*=*'), 'Failed to decode invalid base32 string') THEN NULL
    WHEN x = '' THEN unhex('')
    ELSE unhex(array_to_string(list_transform(range(length(rtrim(x, '=')) * 5 // 8),
        lambda i: printf('%02x', CAST('0b' || substr(googlesql_strings.base32_bits(x), i * 8 + 1, 8) AS INTEGER))), '')) END;
-- Bytes that are no UTF-8 become U+FFFD in BigQuery: not here.
CREATE MACRO googlesql_strings.safe_text(x) AS decode(x);
CREATE MACRO googlesql_strings.parse_number(x) AS
    regexp_replace(regexp_replace(x, '[\s,]', '', 'g'), '^([^+-]*)([+-])$', '\2\1');
CREATE MACRO googlesql_strings.parse_numeric(x) AS
    CAST(googlesql_strings.parse_number(x) AS DECIMAL(38, 9));
CREATE MACRO googlesql_strings.parse_bignumeric(x) AS
    CAST(googlesql_strings.parse_number(x) AS DECIMAL(38, 18));
-- BigQuery refuses results of more than a megabyte. The size is bounded twice: DuckDB evaluates
-- what is constant even where CASE does not lead there.
CREATE MACRO googlesql_strings.repeat(x, times) AS
    CASE WHEN googlesql_errors.refuse(times < 0, 'Second argument to REPEAT() must be non-negative') THEN NULL
    WHEN googlesql_errors.refuse(octet_length(encode(CAST(x AS VARCHAR))) * times > 1048576, 'Output of REPEAT exceeds max allowed output size of 1MB') THEN NULL
    ELSE repeat(x, least(CAST(times AS BIGINT), 1048576 // greatest(octet_length(encode(CAST(x AS VARCHAR))), 1))) END;
CREATE MACRO googlesql_strings.lpad(x, size, fill) AS
    CASE WHEN googlesql_errors.refuse(size > 1048576, 'Output of LPAD/RPAD exceeds max allowed output size of 1MB') OR googlesql_errors.refuse(size < 0 OR fill = '', 'LPAD needs a length of at least 0 and a pattern that is not empty') THEN NULL
    ELSE lpad(x, CAST(least(size, 1048576) AS INTEGER), fill) END;
CREATE MACRO googlesql_strings.rpad(x, size, fill) AS
    CASE WHEN googlesql_errors.refuse(size > 1048576, 'Output of LPAD/RPAD exceeds max allowed output size of 1MB') OR googlesql_errors.refuse(size < 0 OR fill = '', 'RPAD needs a length of at least 0 and a pattern that is not empty') THEN NULL
    ELSE rpad(x, CAST(least(size, 1048576) AS INTEGER), fill) END;
