-- Balances (rules 5 and 7).

-- name: balances
-- As backoffice.ledger.balances.rebalance. reopened: what was paid was too little for a moment,
-- after the new total and before the payment of it.
CREATE TEMP TABLE import_balance ON COMMIT DROP AS
SELECT n.line, n.id, n.customer_id, n.number, n.currency, n.total, i.status AS was, b.balance,
    b.credited >= i.total AS credited,
    i.status = 'paid'
        AND i.total > b.covered - coalesce(p.amount, 0) + coalesce(p.old_amount, 0) AS reopened,
    CASE WHEN i.status = 'open' AND b.balance = 0 THEN 'paid'
        WHEN i.status = 'paid' AND b.balance > 0 THEN 'open'
        ELSE i.status END AS status
FROM import_invoice n
JOIN invoice i ON i.id = n.id
LEFT JOIN import_payment p ON p.invoice_id = n.id
CROSS JOIN LATERAL (
    SELECT greatest(i.total - coalesce(sum(a.amount), 0), 0) AS balance,
        coalesce(sum(a.amount), 0) AS covered,
        coalesce(sum(a.amount) FILTER (WHERE c.kind = 'credit_note'), 0) AS credited
    FROM application a JOIN credit c ON c.id = a.credit_id
    WHERE a.invoice_id = i.id AND c.reversed_at IS NULL
) AS b
WHERE n.fresh OR n.changed OR p.invoice_id IS NOT NULL

-- name: rebalanced
UPDATE invoice i SET balance = b.balance, status = b.status,
    closed_at = CASE WHEN b.status = b.was AND NOT b.reopened THEN i.closed_at
        WHEN b.status = 'paid' THEN :at END,
    closed_reason = CASE WHEN b.status = b.was AND NOT b.reopened THEN i.closed_reason
        WHEN b.status <> 'paid' THEN ''
        WHEN b.credited THEN 'is fully credited' ELSE 'is paid' END
FROM import_balance b WHERE i.id = b.id
AND (b.balance <> i.balance OR b.status <> b.was OR b.reopened)
