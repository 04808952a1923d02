-- What the import did.

-- name: count
SELECT (SELECT count(*) FROM import_customer WHERE fresh OR changed) AS customers,
    (SELECT count(*) FROM import_invoice WHERE fresh OR changed)
        + (SELECT count(*) FROM import_note) AS invoices,
    (SELECT count(*) FROM import_payment) AS payments,
    (SELECT count(*) FROM import_row) - (SELECT count(*) FROM (
        SELECT line FROM import_invoice WHERE fresh OR changed
        UNION SELECT line FROM import_payment
        UNION SELECT line FROM import_note) AS news) AS unchanged

-- name: touched
SELECT id FROM import_customer WHERE fresh OR changed
UNION SELECT customer_id FROM import_invoice WHERE fresh OR changed
UNION SELECT customer_id FROM import_payment
UNION SELECT customer_id FROM import_note
