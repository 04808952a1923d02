-- Which customers the book is about.

-- name: customers
-- One row for each customer of the book: of each column what its last row says that says anything.
-- replanned: given another plan than it has; the default plan by its name is none (rule 44).
CREATE TEMP TABLE import_customer ON COMMIT DROP AS
SELECT told.*, coalesce(c.id, gen_random_uuid()) AS id, c.id IS NULL AS fresh,
    false AS changed, p.id AS plan_id, CAST(NULL AS uuid) AS parent_id,
    c.id IS NOT NULL AND p.id IS NOT NULL
        AND p.id IS DISTINCT FROM coalesce(c.plan_id, o.default_plan_id) AS replanned
FROM (SELECT default_plan_id FROM organisation WHERE id = :org) AS o
CROSS JOIN (
    SELECT customer AS key, min(line) AS line,
        (array_agg(name ORDER BY line DESC) FILTER (WHERE name <> ''))[1] AS name,
        (array_agg(email ORDER BY line DESC) FILTER (WHERE email <> ''))[1] AS email,
        (array_agg(phone ORDER BY line DESC) FILTER (WHERE phone <> ''))[1] AS phone,
        (array_agg(language ORDER BY line DESC) FILTER (WHERE language <> ''))[1] AS language,
        (array_agg(country ORDER BY line DESC) FILTER (WHERE country <> ''))[1] AS country,
        (array_agg(terms_days ORDER BY line DESC) FILTER (WHERE terms_days IS NOT NULL))[1]
            AS terms_days,
        (array_agg(parent ORDER BY line DESC) FILTER (WHERE parent <> ''))[1] AS parent,
        (array_agg(plan ORDER BY line DESC) FILTER (WHERE plan <> ''))[1] AS plan
    FROM import_row GROUP BY customer
) AS told
LEFT JOIN customer c ON c.organisation_id = :org AND c.external_id = told.key
LEFT JOIN plan p ON p.organisation_id = :org AND p.name = told.plan

-- name: analyze_customers
ANALYZE import_customer

-- name: closed
-- Contacts with a word about an address of theirs, which is to be another one: few.
WITH main AS (
    SELECT DISTINCT ON (customer_id) id FROM contact
    WHERE (main OR external_id = 'main')
    AND customer_id IN (SELECT id FROM import_customer WHERE NOT fresh)
    ORDER BY customer_id, main DESC
)
SELECT c.id AS customer_id, a.contact_id, a.kind, coalesce(k.country, c.country) AS country,
    CASE WHEN m.id IS NOT NULL AND to_jsonb(told.address) IS DISTINCT FROM a.superseded
        THEN told.address END AS address
FROM import_customer k
JOIN customer c ON c.id = k.id
JOIN contact o ON o.customer_id = c.id
JOIN contact_address a ON a.contact_id = o.id AND a.address <> ''
LEFT JOIN main m ON m.id = o.id
CROSS JOIN LATERAL (VALUES ('email', k.email), ('phone', k.phone)) AS told (kind, address)
WHERE NOT k.fresh AND told.kind = a.kind AND EXISTS (
    SELECT FROM closure x WHERE x.organisation_id = :org AND x.kind = a.kind
    AND CASE a.kind WHEN 'email' THEN x.address = lower(a.address)
        -- The last digits, as the index has them; addresses.phone compares the whole numbers.
        ELSE right(regexp_replace(x.address, '[^0-9]', '', 'g'), 6)
            = right(regexp_replace(a.address, '[^0-9]', '', 'g'), 6) END)
ORDER BY c.id, a.contact_id, a.kind
