-- Errors. In the functions behind SAFE. this gives true: there what is wrong is NULL.
CREATE MACRO googlesql_errors.refuse(wrong, message) AS
    CASE WHEN wrong THEN error(message) ELSE false END;
