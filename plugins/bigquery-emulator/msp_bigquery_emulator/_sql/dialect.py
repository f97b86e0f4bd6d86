"""GoogleSQL: BigQuery's dialect as sqlglot reads it, with what BigQuery has and nothing else."""

from __future__ import annotations

from typing import Any, Final

from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery
from sqlglot.parsers.bigquery import BigQueryParser
from sqlglot.tokenizer_core import TokenType

# https://cloud.google.com/bigquery/docs/reference/standard-sql/functions-all
# sqlglot reads the functions of thirty databases; those of others are unknown here.
_NAMES: Final = frozenset(
    """
    ABS ACOS ACOSH ANY_VALUE APPROX_COUNT_DISTINCT APPROX_QUANTILES APPROX_TOP_COUNT
    APPROX_TOP_SUM ARRAY ARRAY_AGG ARRAY_CONCAT ARRAY_CONCAT_AGG ARRAY_FIRST ARRAY_LAST
    ARRAY_LENGTH ARRAY_REVERSE ARRAY_SLICE ARRAY_TO_STRING ASCII ASIN ASINH ATAN ATAN2 ATANH AVG
    BIT_AND BIT_COUNT BIT_OR BIT_XOR BOOL BYTE_LENGTH CBRT CEIL CEILING CHARACTER_LENGTH
    CHAR_LENGTH CHR COALESCE CODE_POINTS_TO_BYTES CODE_POINTS_TO_STRING COLLATE CONCAT
    CONTAINS_SUBSTR CORR COS COSH COSINE_DISTANCE COT COTH COUNT COUNTIF COVAR_POP COVAR_SAMP CSC
    CSCH CUME_DIST CURRENT_DATE CURRENT_DATETIME CURRENT_TIME CURRENT_TIMESTAMP DATE DATETIME
    DATETIME_ADD DATETIME_DIFF DATETIME_SUB DATETIME_TRUNC DATE_ADD DATE_DIFF DATE_FROM_UNIX_DATE
    DATE_SUB DATE_TRUNC DENSE_RANK DIV EDIT_DISTANCE ENDS_WITH EUCLIDEAN_DISTANCE EXP EXTRACT
    FARM_FINGERPRINT FIRST_VALUE FLOAT64 FLOOR FORMAT FORMAT_DATE FORMAT_DATETIME FORMAT_TIME
    FORMAT_TIMESTAMP FROM_BASE32 FROM_BASE64 FROM_HEX GENERATE_ARRAY GENERATE_DATE_ARRAY
    GENERATE_TIMESTAMP_ARRAY GENERATE_UUID GREATEST GROUPING IF IFNULL INITCAP INSTR INT64 IS_INF
    IS_NAN JSON_ARRAY JSON_ARRAY_APPEND JSON_ARRAY_INSERT JSON_EXTRACT JSON_EXTRACT_ARRAY
    JSON_EXTRACT_SCALAR JSON_EXTRACT_STRING_ARRAY JSON_KEYS JSON_OBJECT JSON_QUERY
    JSON_QUERY_ARRAY JSON_REMOVE JSON_SET JSON_STRIP_NULLS JSON_TYPE JSON_VALUE JSON_VALUE_ARRAY
    JUSTIFY_DAYS JUSTIFY_HOURS JUSTIFY_INTERVAL LAG LAST_DAY LAST_VALUE LAX_BOOL LAX_FLOAT64
    LAX_INT64 LAX_STRING LEAD LEAST LEFT LENGTH LN LOG LOG10 LOGICAL_AND LOGICAL_OR LOWER LPAD
    LTRIM MAKE_INTERVAL MAX MAX_BY MD5 MIN MIN_BY MOD NORMALIZE NORMALIZE_AND_CASEFOLD NTH_VALUE
    NTILE NULLIF OCTET_LENGTH PARSE_BIGNUMERIC PARSE_DATE PARSE_DATETIME PARSE_JSON PARSE_NUMERIC
    PARSE_TIME PARSE_TIMESTAMP PERCENTILE_CONT PERCENTILE_DISC PERCENT_RANK POW POWER RAND
    RANGE_BUCKET RANK REGEXP_CONTAINS REGEXP_EXTRACT REGEXP_EXTRACT_ALL REGEXP_INSTR
    REGEXP_REPLACE REGEXP_SUBSTR REPEAT REPLACE REVERSE RIGHT ROUND ROW_NUMBER RPAD RTRIM SAFE_ADD
    SAFE_CONVERT_BYTES_TO_STRING SAFE_DIVIDE SAFE_MULTIPLY SAFE_NEGATE SAFE_SUBTRACT SEC SECH
    SESSION_USER SHA1 SHA256 SHA512 SIGN SIN SINH SOUNDEX SPLIT SQRT STARTS_WITH STDDEV STDDEV_POP
    STDDEV_SAMP STRING STRING_AGG STRPOS STRUCT SUBSTR SUBSTRING SUM TAN TANH TIME TIMESTAMP
    TIMESTAMP_ADD TIMESTAMP_DIFF TIMESTAMP_MICROS TIMESTAMP_MILLIS TIMESTAMP_SECONDS TIMESTAMP_SUB
    TIMESTAMP_TRUNC TIME_ADD TIME_DIFF TIME_SUB TIME_TRUNC TO_BASE32 TO_BASE64 TO_CODE_POINTS
    TO_HEX TO_JSON TO_JSON_STRING TRANSLATE TRIM TRUNC UNICODE UNIX_DATE UNIX_MICROS UNIX_MILLIS
    UNIX_SECONDS UNNEST UPPER VARIANCE VAR_POP VAR_SAMP WEEK
    """.split()  # noqa: SIM905 - a list of them would be two hundred lines
)


class GoogleSQL(BigQuery):
    """BigQuery's dialect: formats of dates are left as written, other databases' functions not."""

    TIME_MAPPING: dict[str, str] = {}  # noqa: RUF012 - as the base class declares it

    class Parser(BigQueryParser):
        """Reads what BigQuery has."""

        FUNCTIONS = {  # noqa: RUF012 - as the base class declares it
            name: build for name, build in BigQueryParser.FUNCTIONS.items() if name in _NAMES
        }

        def _parse_table(self, *args: Any, **kwargs: Any) -> exp.Expr | None:  # noqa: ANN401 - sqlglot's
            """Read a path with its offsets too: `FROM t, t.items AS item WITH OFFSET`."""
            table = super()._parse_table(*args, **kwargs)
            if not isinstance(table, exp.Table):
                return table
            if not self._match_pair(TokenType.WITH, TokenType.OFFSET):
                return table
            self._match(TokenType.ALIAS)
            offset = self._parse_id_var(any_token=False, tokens=self.UNNEST_OFFSET_ALIAS_TOKENS)
            path = table.to_column()
            alias = table.args.get("alias")
            return exp.Unnest(
                expressions=[path.this if isinstance(path, exp.Alias) else path],
                alias=exp.TableAlias(columns=[alias.this if alias else table.this]),
                offset=offset or exp.to_identifier("offset"),
            )
