-- Invoices.

-- name: invoices
CREATE TEMP TABLE import_invoice ON COMMIT DROP AS
SELECT r.line, r.invoice AS key, k.id AS customer_id,
    coalesce(i.id, gen_random_uuid()) AS id, coalesce(i.number, r.invoice) AS number,
    r.issued_on, coalesce(r.due_on, i.due_on) AS due_on, r.total, r.currency, r.paid_on,
    i.id IS NULL AS fresh,
    i.id IS NOT NULL AND (i.issued_on, i.due_on, i.total)
        IS DISTINCT FROM (r.issued_on, coalesce(r.due_on, i.due_on), r.total) AS changed
FROM import_row r
JOIN import_customer k ON k.key = r.customer
LEFT JOIN invoice i ON i.organisation_id = :org AND i.external_id = r.invoice
WHERE r.total > 0

-- name: analyze_invoices
ANALYZE import_invoice

-- name: new_invoices
INSERT INTO invoice (id, organisation_id, customer_id, external_id, number, issued_on, due_on,
    total, balance, currency, status, closed_reason, dispute_reason, created_at)
SELECT id, :org, customer_id, key, number, issued_on, due_on, total, total, currency, 'open',
    '', '', :at
FROM import_invoice WHERE fresh ORDER BY key COLLATE "C"

-- name: changed_invoices
UPDATE invoice i SET issued_on = n.issued_on, due_on = n.due_on, total = n.total
FROM import_invoice n WHERE n.changed AND i.id = n.id
