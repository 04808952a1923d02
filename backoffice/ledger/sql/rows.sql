-- The rows of the book, and what is wrong with them.

-- name: stage
CREATE TEMP TABLE import_row (
    line integer PRIMARY KEY, customer text, name text, email text, phone text, language text,
    country text, terms_days integer, parent text, plan text, invoice text, issued_on date,
    due_on date, total numeric, currency text, paid_on date
) ON COMMIT DROP;
CREATE TEMP TABLE import_wrong (
    line integer, place text, reason text, cause text
) ON COMMIT DROP

-- name: copy
COPY import_row FROM STDIN

-- name: analyze_rows
ANALYZE import_row

-- name: lock
-- As store.locks.lock_customers.
SELECT count(*) FROM (
    SELECT id FROM customer
    WHERE organisation_id = :org AND external_id IN (SELECT customer FROM import_row)
    ORDER BY id FOR NO KEY UPDATE
) AS locked
