-- The timeline.

-- name: timeline
INSERT INTO timeline (organisation_id, customer_id, invoice_id, at, kind, text, by)
SELECT :org, customer_id, invoice_id, :at, kind, left(text, 2000), 'import'
FROM (
    SELECT line, 0 AS place, id AS customer_id, CAST(NULL AS uuid) AS invoice_id,
        CASE WHEN fresh THEN 'customer_created' ELSE 'customer_updated' END AS kind,
        CASE WHEN fresh THEN 'customer ' || coalesce(name, key) || ' is known'
            ELSE 'customer data updated' END AS text
    FROM import_customer WHERE fresh OR changed
    UNION ALL
    SELECT line, 1, id, NULL, 'plan_changed', 'plan changed to ' || plan
    FROM import_customer WHERE replanned
    UNION ALL
    SELECT line, 2, customer_id, id,
        CASE WHEN fresh THEN 'invoice_created' ELSE 'invoice_updated' END,
        number || ' issued ' || issued_on || coalesce(', due ' || due_on, '') || ': '
            || total || ' ' || currency
    FROM import_invoice WHERE fresh OR changed
    UNION ALL
    SELECT line, 3, customer_id, NULL, 'credit_note', 'credit note ' || key || ' of '
        || amount || ' ' || currency
        || CASE WHEN fresh THEN ' is reported' ELSE ' is changed' END
    FROM import_note
    UNION ALL
    SELECT line, 3, customer_id, invoice_id, 'payment', 'payment ' || key || ' of '
        || round(amount, scale(total)) || ' ' || currency
        || CASE WHEN fresh THEN ' is reported' ELSE ' is changed' END
    FROM import_payment
    UNION ALL
    SELECT line, 4, customer_id, id,
        CASE WHEN status = 'paid' THEN 'invoice_paid' ELSE 'invoice_reopened' END,
        number || CASE WHEN status <> 'paid'
            THEN ' is open again: ' || round(balance, scale(total)) || ' ' || currency
            WHEN credited THEN ' is fully credited' ELSE ' is paid' END
    FROM import_balance WHERE status <> was
) AS told
ORDER BY line, place
