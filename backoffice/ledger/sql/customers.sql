-- Customers, new and changed.

-- name: parents
UPDATE import_customer k SET parent_id = coalesce(
    (SELECT above.id FROM import_customer above WHERE above.key = k.parent),
    (SELECT c.id FROM customer c WHERE c.organisation_id = :org AND c.external_id = k.parent))
WHERE k.parent IS NOT NULL

-- name: new_customers
INSERT INTO customer (id, organisation_id, external_id, name, parent_id, terms_days, language,
    country, plan_id, created_at)
SELECT id, :org, key, coalesce(name, key), parent_id, terms_days, coalesce(language, ''),
    coalesce(country, ''), plan_id, :at
FROM import_customer WHERE fresh ORDER BY key COLLATE "C"

-- name: changed_customers
WITH done AS (
    UPDATE customer c SET
        name = coalesce(k.name, c.name), parent_id = coalesce(k.parent_id, c.parent_id),
        terms_days = coalesce(k.terms_days, c.terms_days),
        language = coalesce(k.language, c.language), country = coalesce(k.country, c.country),
        plan_id = coalesce(k.plan_id, c.plan_id)
    FROM import_customer k
    WHERE k.id = c.id AND NOT k.fresh AND (
        k.name <> c.name OR k.parent_id IS NOT NULL AND k.parent_id IS DISTINCT FROM c.parent_id
        OR k.terms_days IS NOT NULL AND k.terms_days IS DISTINCT FROM c.terms_days
        OR k.language <> c.language OR k.country <> c.country
        OR k.plan_id IS NOT NULL AND k.plan_id IS DISTINCT FROM c.plan_id)
    RETURNING c.id
)
UPDATE import_customer k SET changed = true FROM done WHERE k.id = done.id
