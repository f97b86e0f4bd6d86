-- Dates and times: https://cloud.google.com/bigquery/docs/reference/standard-sql/date_functions

-- Zones: a name of the tz database, or an offset such as +05:45 and UTC-3.
CREATE MACRO googlesql_dates.offset_minutes(zone) AS
    CAST(regexp_extract(zone, '([+-])', 1) || '1' AS INTEGER)
    * (CAST(regexp_extract(zone, '[+-](\d+)', 1) AS INTEGER) * 60
       + coalesce(try_cast(regexp_extract(zone, ':(\d+)', 1) AS INTEGER), 0));
CREATE MACRO googlesql_dates.is_offset(zone) AS
    regexp_full_match(zone, '(UTC)?[+-]\d{1,2}(:\d\d)?');
CREATE MACRO googlesql_dates.local(x, zone) AS
    CASE WHEN googlesql_dates.is_offset(zone)
    THEN timezone('UTC', x) + to_minutes(googlesql_dates.offset_minutes(zone)) ELSE timezone(zone, x) END;
CREATE MACRO googlesql_dates.moment(x, zone) AS
    CASE WHEN googlesql_dates.is_offset(zone)
    THEN timezone('UTC', x - to_minutes(googlesql_dates.offset_minutes(zone))) ELSE timezone(zone, x) END;
CREATE MACRO googlesql_dates.zone_minutes(x, zone) AS
    (epoch_us(googlesql_dates.local(x, zone)) - epoch_us(x)) // 60000000;
CREATE MACRO googlesql_dates.offset_text(minutes) AS
    CASE WHEN minutes < 0 THEN '-' ELSE '+' END || printf('%02d', abs(minutes) // 60)
    || CASE WHEN minutes % 60 = 0 THEN '' ELSE ':' || printf('%02d', abs(minutes) % 60) END;
CREATE MACRO googlesql_dates.zone_offset(x, zone) AS
    googlesql_dates.offset_text(googlesql_dates.zone_minutes(x, zone));

-- Weeks begin on the day that is so many days behind Sunday.
CREATE MACRO googlesql_dates.week_begin(x, day) AS
    CAST(x AS DATE) - CAST((dayofweek(x) - day + 7) % 7 AS INTEGER);
CREATE MACRO googlesql_dates.week_of_year(x, day) AS
    (dayofyear(x) - 1 + (dayofweek(date_trunc('year', x)) - day + 7) % 7 + CASE WHEN dayofweek(date_trunc('year', x)) = day THEN 7 ELSE 0 END) // 7;
CREATE MACRO googlesql_dates.isoyear_begin(x) AS
    CAST(date_trunc('week', make_date(isoyear(x), 1, 4)) AS DATE);
CREATE MACRO googlesql_dates.week_diff(a, b, day) AS
    (googlesql_dates.week_begin(a, day) - googlesql_dates.week_begin(b, day)) // 7;
CREATE MACRO googlesql_dates.elapsed(a, b, micros) AS
    (epoch_us(CAST(a AS TIMESTAMPTZ)) - epoch_us(CAST(b AS TIMESTAMPTZ))) // micros;
CREATE MACRO googlesql_dates.time_diff(a, b, micros) AS
    CAST(epoch_us(DATE '1970-01-01' + a) // micros - epoch_us(DATE '1970-01-01' + b) // micros AS BIGINT);
CREATE MACRO googlesql_dates.last_week_day(x, day) AS googlesql_dates.week_begin(x, day) + 6;
CREATE MACRO googlesql_dates.last_isoyear_day(x) AS
    CAST(date_trunc('week', make_date(isoyear(x) + 1, 1, 4)) AS DATE) - 1;
CREATE MACRO googlesql_dates.dayofweek(x) AS dayofweek(x) + 1;
CREATE MACRO googlesql_dates.microsecond(x) AS date_part('microsecond', x) % 1000000;
CREATE MACRO googlesql_dates.millisecond(x) AS date_part('microsecond', x) % 1000000 // 1000;
CREATE MACRO googlesql_dates.unix(x, micros) AS
    (epoch_us(CAST(x AS TIMESTAMPTZ)) - ((epoch_us(CAST(x AS TIMESTAMPTZ)) % micros) + micros) % micros) // micros;
