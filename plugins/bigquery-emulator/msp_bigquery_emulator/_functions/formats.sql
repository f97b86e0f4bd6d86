-- Elements of formats that strftime lacks: https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements

CREATE MACRO googlesql_formats.year(x) AS CAST(year(x) AS VARCHAR);
CREATE MACRO googlesql_formats.year4(x) AS printf('%04d', CAST(year(x) AS INTEGER));
CREATE MACRO googlesql_formats.century(x) AS printf('%02d', CAST(year(x) // 100 AS INTEGER));
CREATE MACRO googlesql_formats.day(x) AS printf('%2d', CAST(day(x) AS INTEGER));
CREATE MACRO googlesql_formats.isoyear2(x) AS printf('%02d', CAST(isoyear(x) % 100 AS INTEGER));
CREATE MACRO googlesql_formats.hour(x) AS printf('%2d', CAST(hour(x) AS INTEGER));
CREATE MACRO googlesql_formats.hour12(x) AS printf('%2d', CAST((hour(x) + 11) % 12 + 1 AS INTEGER));
CREATE MACRO googlesql_formats.am_pm(x) AS lower(strftime(x, '%p'));
CREATE MACRO googlesql_formats.quarter(x) AS CAST(quarter(x) AS VARCHAR);
CREATE MACRO googlesql_formats.isoday(x) AS
    printf('%03d', CAST((week(x) - 1) * 7 + isodow(x) AS INTEGER));
CREATE MACRO googlesql_formats.seconds(x, digits) AS
    strftime(x, '%S') || CASE digits
    WHEN 0 THEN ''
    WHEN -1 THEN regexp_replace('.' || strftime(x, '%f'), '\.?0*$', '')
    ELSE '.' || substr(strftime(x, '%f') || '000', 1, digits) END;
CREATE MACRO googlesql_formats.epoch(x, zone) AS CAST(epoch_us(x) // 1000000 AS VARCHAR);
CREATE MACRO googlesql_formats.offset_colon(x, zone) AS
    CASE WHEN googlesql_dates.zone_minutes(x, zone) < 0 THEN '-' ELSE '+' END
    || printf('%02d:%02d', CAST(abs(googlesql_dates.zone_minutes(x, zone)) // 60 AS INTEGER), CAST(abs(googlesql_dates.zone_minutes(x, zone)) % 60 AS INTEGER));
CREATE MACRO googlesql_formats.offset(x, zone) AS
    replace(googlesql_formats.offset_colon(x, zone), ':', '');
CREATE MACRO googlesql_formats.zone_name(x, zone) AS
    CASE WHEN googlesql_dates.zone_minutes(x, zone) = 0 THEN 'UTC'
    ELSE 'UTC' || regexp_replace(regexp_replace(googlesql_formats.offset_colon(x, zone), '([+-])0', '\1'), ':00', '') END;
