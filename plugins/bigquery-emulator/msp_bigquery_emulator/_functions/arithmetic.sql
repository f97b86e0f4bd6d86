-- Arithmetic: https://cloud.google.com/bigquery/docs/reference/standard-sql/mathematical_functions

CREATE MACRO googlesql_arithmetic.divide(a, b) AS
    CASE WHEN googlesql_errors.refuse(b = 0 AND a IS NOT NULL, 'division by zero: ' || printf('%.15g', CAST(a AS DOUBLE)) || ' / 0') THEN NULL
    ELSE a / b END;
CREATE MACRO googlesql_arithmetic.ieee_divide(a, b) AS
    CASE WHEN b <> 0 OR isnan(CAST(b AS DOUBLE)) THEN CAST(a AS DOUBLE) / CAST(b AS DOUBLE)
    WHEN a = 0 OR isnan(CAST(a AS DOUBLE)) THEN CAST('nan' AS DOUBLE)
    WHEN a > 0 THEN CAST('inf' AS DOUBLE) WHEN a < 0 THEN CAST('-inf' AS DOUBLE) END;
CREATE MACRO googlesql_arithmetic.safe_divide(a, b) AS CASE WHEN b <> 0 THEN a / b END;
CREATE MACRO googlesql_arithmetic.int_divide(a, b) AS
    CASE WHEN googlesql_errors.refuse(b = 0, 'division by zero: ' || a || ' / ' || b) THEN NULL ELSE a // b END;
CREATE MACRO googlesql_arithmetic.modulo(a, b) AS
    CASE WHEN googlesql_errors.refuse(b = 0, 'division by zero: MOD(' || a || ', ' || b || ')') THEN NULL ELSE a % b END;

-- NUMERIC: 29 digits before the point and 9 behind, rounded half away from zero.
CREATE MACRO googlesql_arithmetic.numeric(x) AS CAST(x AS DECIMAL(38, 9));
CREATE MACRO googlesql_arithmetic.numeric_units(x) AS
    CAST(replace(CAST(CAST(x AS DECIMAL(38, 9)) AS VARCHAR), '.', '') AS HUGEINT);
CREATE MACRO googlesql_arithmetic.units_numeric(x) AS
    CAST(x AS DECIMAL(38, 0)) * CAST('0.000000001' AS DECIMAL(9, 9));
-- abs(a) and abs(b) in units; the rest is divided on its own, so that nothing leaves HUGEINT.
CREATE MACRO googlesql_arithmetic.units_quotient(a, b) AS
    a // b * 1000000000::HUGEINT + (a % b * 2000000000::HUGEINT + b) // (2 * b);
CREATE MACRO googlesql_arithmetic.units_divide(p) AS googlesql_arithmetic.units_numeric(
    CASE WHEN googlesql_errors.refuse(p.b = 0 AND p.a IS NOT NULL, 'division by zero: ' || googlesql_casts.numeric_text(googlesql_arithmetic.units_numeric(p.a)) || ' / 0') THEN NULL
    WHEN (p.a < 0) <> (p.b < 0) THEN -googlesql_arithmetic.units_quotient(abs(p.a), abs(p.b))
    ELSE googlesql_arithmetic.units_quotient(abs(p.a), abs(p.b)) END);
CREATE MACRO googlesql_arithmetic.numeric_divide(a, b) AS
    list_transform([{'a': googlesql_arithmetic.numeric_units(a), 'b': googlesql_arithmetic.numeric_units(b)}], lambda p: googlesql_arithmetic.units_divide(p))[1];
CREATE MACRO googlesql_arithmetic.numeric_safe_divide(a, b) AS googlesql_arithmetic.numeric_divide(a, nullif(b, 0));
CREATE MACRO googlesql_arithmetic.numeric_int_divide(a, b) AS
    trunc(googlesql_arithmetic.numeric_divide(a, b));
