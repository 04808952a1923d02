-- What in the book contradicts the database goes from import_row to the report.

-- name: wrong
INSERT INTO import_wrong
SELECT r.line, 'plan', format('no plan ''%s'' is loaded', left(r.plan, 60)), NULL
FROM import_row r
WHERE r.plan <> '' AND NOT EXISTS (
    SELECT FROM plan p WHERE p.organisation_id = :org AND p.name = r.plan)
UNION ALL
SELECT r.line, 'parent', format('no customer ''%s'', here or in the book', left(r.parent, 60)),
    'names a customer who is neither here nor in the book'
FROM import_row r
WHERE r.parent <> ''
AND r.parent NOT IN (SELECT customer FROM import_row)
AND NOT EXISTS (
    SELECT FROM customer c WHERE c.organisation_id = :org AND c.external_id = r.parent)
UNION ALL
SELECT r.line, 'customer', format('invoice ''%s'' is another customer''s', left(r.invoice, 60)),
    'is not the customer of the invoice'
FROM import_row r
JOIN invoice i ON i.organisation_id = :org AND i.external_id = r.invoice
JOIN customer c ON c.id = i.customer_id
WHERE c.external_id <> r.customer
UNION ALL
SELECT r.line, 'currency', format('invoice ''%s'' is in %s; void it and report a new one',
    left(r.invoice, 60), i.currency), 'is another than that of the invoice'
FROM import_row r
JOIN invoice i ON i.organisation_id = :org AND i.external_id = r.invoice
WHERE i.currency <> r.currency
UNION ALL
SELECT r.line, 'total', 'is negative, but it is known as an invoice', NULL
FROM import_row r
JOIN invoice i ON i.organisation_id = :org AND i.external_id = r.invoice
WHERE r.total < 0
UNION ALL
SELECT r.line, known.place, known.reason, NULL
FROM import_row r
JOIN credit n ON n.organisation_id = :org AND n.kind = 'credit_note'
    AND n.external_id = r.invoice
JOIN customer c ON c.id = n.customer_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount), 0) AS amount FROM application WHERE credit_id = n.id) AS used
CROSS JOIN LATERAL (
    SELECT 'total' AS place, 'is not negative, but it is known as a credit note' AS reason
    WHERE r.total > 0
    UNION ALL SELECT 'customer', 'the credit note is another customer''s'
    WHERE c.external_id <> r.customer
    UNION ALL SELECT 'currency', format('the credit note is in %s', n.currency)
    WHERE n.currency <> r.currency
    UNION ALL SELECT 'total', 'the credit note was reversed; report another one'
    WHERE r.total < 0 AND n.reversed_at IS NOT NULL
    AND (n.amount, n.on_date) <> (-r.total, r.issued_on)
    UNION ALL SELECT 'total', 'more of the credit note is applied to invoices than that'
    WHERE r.total < 0 AND n.reversed_at IS NULL AND used.amount > -r.total
) AS known
UNION ALL
SELECT r.line, 'paid_on', CASE WHEN c.external_id <> r.customer
    THEN format('payment ''%s'' is another customer''s', p.external_id)
    ELSE 'the payment was reversed; report the new one by itself' END,
    CASE WHEN c.external_id <> r.customer THEN 'is of a payment of another customer' END
FROM import_row r
JOIN credit p ON p.organisation_id = :org AND p.kind = 'payment'
    AND p.external_id = 'import/' || r.invoice
JOIN customer c ON c.id = p.customer_id
WHERE r.total > 0 AND r.paid_on IS NOT NULL
AND (c.external_id <> r.customer OR p.reversed_at IS NOT NULL AND p.on_date <> r.paid_on)

-- name: too_far
-- As backoffice.ledger.credits.put_credit and backoffice.ledger.invoices.put_invoice, with the days
-- of backoffice.ledger.ahead: what is known with its day stays.
INSERT INTO import_wrong
SELECT r.line, 'paid_on', r.paid_on || ' ' || :credit_far, :credit_far
FROM import_row r
WHERE r.total > 0 AND r.paid_on > :last_credit AND NOT EXISTS (
    SELECT FROM credit p WHERE p.organisation_id = :org AND p.kind = 'payment'
    AND p.external_id = 'import/' || r.invoice AND p.on_date = r.paid_on)
UNION ALL
SELECT r.line, 'issued_on', r.issued_on || ' ' || :credit_far, :credit_far
FROM import_row r
WHERE r.total < 0 AND r.issued_on > :last_credit AND NOT EXISTS (
    SELECT FROM credit n WHERE n.organisation_id = :org AND n.kind = 'credit_note'
    AND n.external_id = r.invoice AND n.on_date = r.issued_on)
UNION ALL
SELECT r.line, 'issued_on', r.issued_on || ' ' || :invoice_far, :invoice_far
FROM import_row r
WHERE r.total > 0 AND r.issued_on > :last_invoice AND NOT EXISTS (
    SELECT FROM invoice i WHERE i.organisation_id = :org AND i.external_id = r.invoice
    AND i.issued_on = r.issued_on)
