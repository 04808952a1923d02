-- Parents that cannot be.

-- name: any_parent
SELECT EXISTS (SELECT FROM import_row WHERE parent <> '')

-- name: wrong_tree
-- A customer above itself, or more than 50 above one another (as backoffice/ledger/parents.py).
WITH RECURSIVE told AS MATERIALIZED (
    SELECT DISTINCT ON (customer) customer, parent FROM import_row
    WHERE parent <> '' ORDER BY customer, line DESC
), tree AS MATERIALIZED (
    SELECT customer, parent FROM told
    UNION ALL
    SELECT c.external_id, p.external_id FROM customer c JOIN customer p ON p.id = c.parent_id
    WHERE c.organisation_id = :org AND c.external_id NOT IN (SELECT customer FROM told)
), above AS (
    SELECT customer, parent, 1 AS levels FROM told
    UNION ALL
    SELECT a.customer, t.parent, a.levels + 1
    FROM above a JOIN tree t ON t.customer = a.parent
    WHERE a.parent <> a.customer AND a.levels <= 50
), wrong AS (
    SELECT customer, CASE WHEN bool_or(parent = customer)
        THEN 'a customer cannot be its own parent or ancestor'
        ELSE 'more than 50 customers above one another' END AS reason
    FROM above GROUP BY customer HAVING bool_or(parent = customer) OR max(levels) > 50
)
INSERT INTO import_wrong
SELECT r.line, 'parent', w.reason, NULL
FROM wrong w JOIN told USING (customer)
JOIN import_row r ON r.customer = told.customer AND r.parent = told.parent
