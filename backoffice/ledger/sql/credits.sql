-- Payments and credit notes (rules 3 and 42).

-- name: payments
-- amount: what is open but for this payment; of one that is known, changed only with the
-- invoice or where it has become too little.
CREATE TEMP TABLE import_payment ON COMMIT DROP AS
SELECT * FROM (
    SELECT n.line, n.id AS invoice_id, n.customer_id, n.currency, n.paid_on, n.total,
        'import/' || n.key AS key, coalesce(p.id, gen_random_uuid()) AS id,
        p.id IS NULL AS fresh, p.amount AS old_amount, p.on_date AS old_date,
        CASE WHEN rest.amount > 0 AND (p.id IS NULL OR n.changed OR p.amount < rest.amount)
            THEN rest.amount ELSE p.amount END AS amount
    FROM import_invoice n
    JOIN invoice i ON i.id = n.id AND i.status <> 'void'
    LEFT JOIN credit p ON p.organisation_id = :org AND p.kind = 'payment'
        AND p.external_id = 'import/' || n.key
    CROSS JOIN LATERAL (
        SELECT n.total - coalesce(sum(a.amount), 0) AS amount
        FROM application a JOIN credit c ON c.id = a.credit_id
        WHERE a.invoice_id = n.id AND c.reversed_at IS NULL AND c.id IS DISTINCT FROM p.id
    ) AS rest
    WHERE n.paid_on IS NOT NULL AND p.reversed_at IS NULL
) AS found
WHERE amount IS NOT NULL AND (amount, paid_on) IS DISTINCT FROM (old_amount, old_date)

-- name: credit_notes
CREATE TEMP TABLE import_note ON COMMIT DROP AS
SELECT r.line, r.invoice AS key, k.id AS customer_id, coalesce(n.id, gen_random_uuid()) AS id,
    -r.total AS amount, r.currency, r.issued_on, n.id IS NULL AS fresh
FROM import_row r
JOIN import_customer k ON k.key = r.customer
LEFT JOIN credit n ON n.organisation_id = :org AND n.kind = 'credit_note'
    AND n.external_id = r.invoice
WHERE r.total < 0 AND (n.amount, n.on_date) IS DISTINCT FROM (-r.total, r.issued_on)

-- name: credits
INSERT INTO credit (id, organisation_id, customer_id, kind, external_id, amount, currency,
    on_date, reversed_reason, created_at)
SELECT id, :org, customer_id, 'payment', key, amount, currency, paid_on, '', :at
FROM import_payment
UNION ALL
SELECT id, :org, customer_id, 'credit_note', key, amount, currency, issued_on, '', :at
FROM import_note
ON CONFLICT (organisation_id, kind, external_id)
DO UPDATE SET amount = excluded.amount, on_date = excluded.on_date

-- name: applications
INSERT INTO application (credit_id, invoice_id, amount)
SELECT id, invoice_id, amount FROM import_payment
ON CONFLICT (credit_id, invoice_id) DO UPDATE SET amount = excluded.amount
