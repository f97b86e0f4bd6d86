-- IF NOT EXISTS: before there were migrations the service made this table itself.
CREATE TABLE IF NOT EXISTS visits (page text PRIMARY KEY, count bigint NOT NULL);
