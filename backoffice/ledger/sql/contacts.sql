-- Main contacts and their addresses (rule 35), as backoffice.ledger.addresses writes them.

-- name: main_contacts
-- The contact to which a book's addresses belong, of each customer that is new or has one.
CREATE TEMP TABLE import_contact ON COMMIT DROP AS
SELECT DISTINCT ON (k.id) k.id AS customer_id, coalesce(c.id, gen_random_uuid()) AS id,
    c.id IS NULL AS fresh
FROM import_customer k
LEFT JOIN contact c ON c.customer_id = k.id AND (c.main OR c.external_id = 'main')
WHERE k.fresh OR k.email IS NOT NULL OR k.phone IS NOT NULL
ORDER BY k.id, c.main DESC

-- name: analyze_contacts
ANALYZE import_contact

-- name: addresses
-- Those that are news. One that a member corrected stays corrected until something else is reported.
CREATE TEMP TABLE import_address ON COMMIT DROP AS
SELECT o.id AS contact_id, o.customer_id, told.kind, told.address
FROM import_contact o
JOIN import_customer k ON k.id = o.customer_id
CROSS JOIN LATERAL (VALUES ('email', k.email), ('phone', k.phone)) AS told (kind, address)
LEFT JOIN contact_address a ON a.contact_id = o.id AND a.kind = told.kind
WHERE told.address IS NOT NULL AND told.address IS DISTINCT FROM a.address
AND to_jsonb(told.address) IS DISTINCT FROM a.superseded

-- name: new_contacts
INSERT INTO contact (id, customer_id, external_id, name, position, language, main)
SELECT id, customer_id, 'main', '', '', '', true FROM import_contact WHERE fresh

-- name: changed_contacts
UPDATE contact SET main = true
WHERE NOT main AND id IN (SELECT contact_id FROM import_address)

-- name: put_addresses
-- A changed address is valid again, an unchanged one keeps its mark.
INSERT INTO contact_address (contact_id, kind, address, postal, invalid, fixed_at)
SELECT contact_id, kind, address, '{}', '', ARRAY[CAST(:at AS timestamptz)] FROM import_address
ON CONFLICT (contact_id, kind) DO UPDATE SET address = excluded.address, invalid = '',
    superseded = NULL, fixed_at = (contact_address.fixed_at || excluded.fixed_at)
        [greatest(1, cardinality(contact_address.fixed_at) - 18):]

-- name: customers_of_addresses
UPDATE import_customer k SET changed = true
WHERE k.id IN (SELECT customer_id FROM import_address UNION
    SELECT customer_id FROM import_contact WHERE fresh)
