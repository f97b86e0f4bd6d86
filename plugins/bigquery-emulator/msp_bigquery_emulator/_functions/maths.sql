-- Mathematical functions: https://cloud.google.com/bigquery/docs/reference/standard-sql/mathematical_functions

CREATE MACRO googlesql_maths.sec(x) AS 1 / cos(x);
CREATE MACRO googlesql_maths.sech(x) AS 1 / cosh(x);
CREATE MACRO googlesql_maths.csc(x) AS googlesql_arithmetic.divide(1, sin(x));
CREATE MACRO googlesql_maths.csch(x) AS googlesql_arithmetic.divide(1, sinh(x));
CREATE MACRO googlesql_maths.cot(x) AS googlesql_arithmetic.divide(1, tan(x));
CREATE MACRO googlesql_maths.coth(x) AS googlesql_arithmetic.divide(1, tanh(x));
CREATE MACRO googlesql_maths.ln(x) AS
    CASE WHEN googlesql_errors.refuse(x <= 0, 'Floating point error in function: LN') THEN NULL ELSE ln(x) END;
CREATE MACRO googlesql_maths.log10(x) AS
    CASE WHEN googlesql_errors.refuse(x <= 0, 'Floating point error in function: LOG10') THEN NULL ELSE log10(x) END;
CREATE MACRO googlesql_maths.log(x, base) AS
    CASE WHEN googlesql_errors.refuse(x <= 0 OR base <= 0 OR base = 1, 'Floating point error in function: LOG') THEN NULL
    ELSE ln(x) / ln(base) END;
CREATE MACRO googlesql_maths.sqrt(x) AS
    CASE WHEN googlesql_errors.refuse(x < 0, 'Argument to SQRT cannot be negative') THEN NULL ELSE sqrt(x) END;
CREATE MACRO googlesql_maths.exp(x) AS
    CASE WHEN googlesql_errors.refuse(isinf(exp(x)) AND NOT isinf(CAST(x AS DOUBLE)), 'Floating point error in function: EXP') THEN NULL ELSE exp(x) END;
CREATE MACRO googlesql_maths.power(x, y) AS
    CASE WHEN googlesql_errors.refuse(NOT isfinite(pow(x, y)) AND isfinite(CAST(x AS DOUBLE)) AND isfinite(CAST(y AS DOUBLE)), 'Floating point error in function: POW') THEN NULL
    ELSE pow(x, y) END;
CREATE MACRO googlesql_maths.float_sign(x) AS CASE WHEN isnan(x) THEN x ELSE CAST(sign(x) AS DOUBLE) END;
CREATE MACRO googlesql_maths.trunc_digits(x, digits) AS
    CASE WHEN digits >= 0 THEN trunc(x * pow(10, digits)) / pow(10, digits) ELSE trunc(x / pow(10, -digits)) * pow(10, -digits) END;
CREATE MACRO googlesql_maths.shift_left(x, bits) AS
    CASE WHEN googlesql_errors.refuse(bits < 0, 'Bitwise shift by negative offset.') THEN NULL
    WHEN bits >= 64 THEN 0 ELSE CAST(x AS BIGINT) << CAST(bits AS INTEGER) END;
-- What comes in from the left is 0, for negative numbers too.
CREATE MACRO googlesql_maths.shift_right(x, bits) AS
    CASE WHEN googlesql_errors.refuse(bits < 0, 'Bitwise shift by negative offset.') THEN NULL
    WHEN bits >= 64 THEN 0 WHEN bits = 0 THEN CAST(x AS BIGINT)
    WHEN x >= 0 THEN CAST(x AS BIGINT) >> CAST(bits AS INTEGER)
    ELSE CAST((CAST(x AS HUGEINT) + 18446744073709551616::HUGEINT) // CAST(pow(2::DOUBLE, bits) AS HUGEINT) AS BIGINT) END;
CREATE MACRO googlesql_maths.range_bucket(point, a) AS
    CASE WHEN point IS NOT NULL THEN CAST(len(list_filter(a, lambda one: one <= point)) AS BIGINT) END;
-- An array has 1048575 elements at most. The end is bounded twice: DuckDB evaluates what is constant
-- even where CASE does not lead there.
CREATE MACRO googlesql_maths.bounded(first, last, step, most) AS
    CASE WHEN step = 0 THEN first WHEN step > 0 THEN least(last, first + most * step) ELSE greatest(last, first + most * step) END;
CREATE MACRO googlesql_maths.wrong_series(first, last, step) AS
    googlesql_errors.refuse(step = 0, 'Sequence step cannot be 0.')
    OR googlesql_errors.refuse((last - first) // nullif(step, 0) >= 1048575, 'Cannot generate arrays with more than 1048575 elements.');
CREATE MACRO googlesql_maths.int_series(first, last, step) AS
    CASE WHEN googlesql_maths.wrong_series(CAST(first AS HUGEINT), CAST(last AS HUGEINT), CAST(step AS HUGEINT)) THEN NULL
    WHEN first IS NULL OR last IS NULL OR step IS NULL THEN NULL
    ELSE generate_series(CAST(first AS BIGINT), CAST(googlesql_maths.bounded(CAST(first AS HUGEINT), CAST(last AS HUGEINT), CAST(step AS HUGEINT), 1048575) AS BIGINT), CAST(step AS BIGINT)) END;
CREATE MACRO googlesql_maths.float_series(first, last, step) AS
    CASE WHEN googlesql_errors.refuse(step = 0, 'Sequence step cannot be 0.') THEN NULL
    WHEN googlesql_errors.refuse((last - first) / nullif(step, 0) >= 1048575, 'Cannot generate arrays with more than 1048575 elements.') THEN NULL
    WHEN first IS NULL OR last IS NULL OR step IS NULL THEN NULL
    ELSE list_transform(generate_series(0, CAST(floor(least((last - first) / nullif(step, 0), 1048575)) AS BIGINT)), lambda i: first + i * step) END;
CREATE MACRO googlesql_maths.null_if_zero(x) AS nullif(x, 0);
CREATE MACRO googlesql_maths.zero_if_null(x) AS coalesce(x, 0);
