"""The statements of backoffice/ledger/imports.py, in the order in which they run. ``:org`` and
``:at`` are given.

Rules 3, 5, 35, 42 and 44 are those of backoffice/ledger/credits.py and
backoffice/ledger/customers.py, for many rows at once; a test holds the two against one another.
"""

from __future__ import annotations

from store.tables import PHONE_END

STAGE = """
    CREATE TEMP TABLE import_row (
        line integer PRIMARY KEY, customer text, name text, email text, phone text, language text,
        country text, terms_days integer, parent text, plan text, invoice text, issued_on date,
        due_on date, total numeric, currency text, paid_on date
    ) ON COMMIT DROP;
    CREATE TEMP TABLE import_wrong (
        line integer, place text, reason text, cause text
    ) ON COMMIT DROP
"""

COPY = "COPY import_row FROM STDIN"

#: As store.locks.lock_customers.
LOCK = """
    SELECT count(*) FROM (
        SELECT id FROM customer
        WHERE organisation_id = :org AND external_id IN (SELECT customer FROM import_row)
        ORDER BY id FOR NO KEY UPDATE
    ) AS locked
"""

# -- what contradicts the database ---------------------------------------------------------------

WRONG = """
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
"""

#: As backoffice.ledger.credits.put_credit and backoffice.ledger.invoices.put_invoice, with the days
#: of backoffice.ledger.ahead: what is known with its day stays.
TOO_FAR = """
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
"""

ANY_PARENT = "SELECT EXISTS (SELECT FROM import_row WHERE parent <> '')"

#: A customer above itself, or more than 50 above one another (as backoffice/ledger/customers.py).
WRONG_TREE = """
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
"""

DROP_WRONG = """
    WITH gone AS (
        DELETE FROM import_row WHERE line IN (SELECT line FROM import_wrong) RETURNING line)
    SELECT count(*) FROM gone
"""

NAME_WRONG = "SELECT line, place, reason FROM import_wrong ORDER BY line, place LIMIT 1000"

COUNT_WRONG = """
    SELECT place, coalesce(cause, reason) AS cause, count(*) AS rows,
        jsonb_path_query_array(
            jsonb_agg(jsonb_build_array(line, reason) ORDER BY line), '$[0 to 2]'
        ) AS first
    FROM import_wrong GROUP BY 1, 2 ORDER BY rows DESC LIMIT 200
"""

# -- what is written -----------------------------------------------------------------------------

#: One row for each customer of the book: of each column what its last row says that says anything.
#: ``replanned``: given another plan than it has; the default plan by its name is none (rule 44).
_CUSTOMERS = """
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
"""

_PARENTS = """
    UPDATE import_customer k SET parent_id = coalesce(
        (SELECT above.id FROM import_customer above WHERE above.key = k.parent),
        (SELECT c.id FROM customer c WHERE c.organisation_id = :org AND c.external_id = k.parent))
    WHERE k.parent IS NOT NULL
"""

_NEW_CUSTOMERS = """
    INSERT INTO customer (id, organisation_id, external_id, name, parent_id, terms_days, language,
        country, plan_id, created_at)
    SELECT id, :org, key, coalesce(name, key), parent_id, terms_days, coalesce(language, ''),
        coalesce(country, ''), plan_id, :at
    FROM import_customer WHERE fresh ORDER BY key COLLATE "C"
"""

_CHANGED_CUSTOMERS = """
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
"""

#: Contacts with a word about an address of theirs, which is to be another one: few.
CLOSED = f"""
    WITH main AS (
        SELECT DISTINCT ON (customer_id) id FROM contact
        WHERE (main OR external_id = 'main')
        AND customer_id IN (SELECT id FROM import_customer WHERE NOT fresh)
        ORDER BY customer_id, main DESC
    )
    SELECT c.id AS customer_id, o.id AS contact_id, coalesce(k.country, c.country) AS country,
        CASE WHEN m.id IS NOT NULL THEN nullif(k.email, o.superseded ->> 'email') END AS email,
        CASE WHEN m.id IS NOT NULL THEN nullif(k.phone, o.superseded ->> 'phone') END AS phone
    FROM import_customer k JOIN customer c ON c.id = k.id JOIN contact o ON o.customer_id = c.id
    LEFT JOIN main m ON m.id = o.id
    WHERE NOT k.fresh AND EXISTS (SELECT FROM closure WHERE organisation_id = :org) AND (
        EXISTS (SELECT FROM closure x WHERE x.organisation_id = :org AND x.kind = 'email'
            AND x.address = lower(o.email))
        OR o.phone <> '' AND EXISTS (SELECT FROM closure x WHERE x.organisation_id = :org
            AND x.kind = 'phone' AND {PHONE_END.format("x.address")}
                = {PHONE_END.format("o.phone")}))
"""

#: A changed address is valid again (rule 35), an unchanged one keeps its mark, and one that a
#: member corrected stays corrected until something else is reported.
_CHANGED_CONTACTS = """
    WITH main AS (
        SELECT DISTINCT ON (customer_id) id FROM contact
        WHERE (main OR external_id = 'main')
        AND customer_id IN (SELECT id FROM import_customer WHERE NOT fresh)
        ORDER BY customer_id, main DESC
    ), done AS (
        UPDATE contact c SET
            email = coalesce(n.email, c.email), phone = coalesce(n.phone, c.phone),
            email_invalid = CASE WHEN n.email <> c.email THEN '' ELSE c.email_invalid END,
            phone_invalid = CASE WHEN n.phone <> c.phone THEN '' ELSE c.phone_invalid END,
            superseded = '{}', main = true,
            fixed = c.fixed || CASE WHEN n.email <> c.email THEN jsonb_build_object('email',
                jsonb_path_query_array(coalesce(c.fixed -> 'email', '[]')
                    || to_jsonb(CAST(:at AS timestamptz)), '$[last - 19 to last]'))
                ELSE '{}' END || CASE WHEN n.phone <> c.phone THEN jsonb_build_object('phone',
                jsonb_path_query_array(coalesce(c.fixed -> 'phone', '[]')
                    || to_jsonb(CAST(:at AS timestamptz)), '$[last - 19 to last]'))
                ELSE '{}' END
        FROM (
            SELECT o.id, nullif(k.email, o.superseded ->> 'email') AS email,
                nullif(k.phone, o.superseded ->> 'phone') AS phone
            FROM contact o JOIN import_customer k ON k.id = o.customer_id
            WHERE o.id IN (SELECT id FROM main)
        ) n
        WHERE c.id = n.id AND (n.email <> c.email OR n.phone <> c.phone)
        RETURNING c.customer_id
    )
    UPDATE import_customer k SET changed = true FROM done WHERE k.id = done.customer_id
"""

_NEW_CONTACTS = """
    WITH done AS (
        INSERT INTO contact (id, customer_id, external_id, name, position, language, main, email,
            email_invalid, phone, phone_invalid, postal, postal_invalid, superseded,
            fixed)
        SELECT gen_random_uuid(), id, 'main', '', '', '', true, coalesce(email, ''), '',
            coalesce(phone, ''), '', CAST('{}' AS jsonb), '', CAST('{}' AS jsonb),
            CASE WHEN email IS NULL THEN '{}'
                ELSE jsonb_build_object('email', jsonb_build_array(CAST(:at AS timestamptz))) END
            || CASE WHEN phone IS NULL THEN '{}'
                ELSE jsonb_build_object('phone', jsonb_build_array(CAST(:at AS timestamptz))) END
        FROM import_customer k
        WHERE (fresh OR email IS NOT NULL OR phone IS NOT NULL) AND NOT EXISTS (
            SELECT FROM contact c
            WHERE c.customer_id = k.id AND (c.main OR c.external_id = 'main'))
        RETURNING customer_id
    )
    UPDATE import_customer k SET changed = true FROM done WHERE k.id = done.customer_id
"""

_INVOICES = """
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
"""

_NEW_INVOICES = """
    INSERT INTO invoice (id, organisation_id, customer_id, external_id, number, issued_on, due_on,
        total, balance, currency, status, closed_reason, dispute_reason, created_at)
    SELECT id, :org, customer_id, key, number, issued_on, due_on, total, total, currency, 'open',
        '', '', :at
    FROM import_invoice WHERE fresh ORDER BY key COLLATE "C"
"""

_CHANGED_INVOICES = """
    UPDATE invoice i SET issued_on = n.issued_on, due_on = n.due_on, total = n.total
    FROM import_invoice n WHERE n.changed AND i.id = n.id
"""

#: ``amount``: what is open but for this payment; of one that is known, changed only with the
#: invoice or where it has become too little.
_PAYMENTS = """
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
"""

_CREDIT_NOTES = """
    CREATE TEMP TABLE import_note ON COMMIT DROP AS
    SELECT r.line, r.invoice AS key, k.id AS customer_id, coalesce(n.id, gen_random_uuid()) AS id,
        -r.total AS amount, r.currency, r.issued_on, n.id IS NULL AS fresh
    FROM import_row r
    JOIN import_customer k ON k.key = r.customer
    LEFT JOIN credit n ON n.organisation_id = :org AND n.kind = 'credit_note'
        AND n.external_id = r.invoice
    WHERE r.total < 0 AND (n.amount, n.on_date) IS DISTINCT FROM (-r.total, r.issued_on)
"""

_CREDITS = """
    INSERT INTO credit (id, organisation_id, customer_id, kind, external_id, amount, currency,
        on_date, reversed_reason, created_at)
    SELECT id, :org, customer_id, 'payment', key, amount, currency, paid_on, '', :at
    FROM import_payment
    UNION ALL
    SELECT id, :org, customer_id, 'credit_note', key, amount, currency, issued_on, '', :at
    FROM import_note
    ON CONFLICT (organisation_id, kind, external_id)
    DO UPDATE SET amount = excluded.amount, on_date = excluded.on_date
"""

_APPLICATIONS = """
    INSERT INTO application (credit_id, invoice_id, amount)
    SELECT id, invoice_id, amount FROM import_payment
    ON CONFLICT (credit_id, invoice_id) DO UPDATE SET amount = excluded.amount
"""

#: As backoffice.ledger.credits.rebalance.
_BALANCES = """
    CREATE TEMP TABLE import_balance ON COMMIT DROP AS
    SELECT n.line, n.id, n.customer_id, n.number, n.currency, n.total, i.status AS was, b.balance,
        b.credited >= i.total AS credited,
        CASE WHEN i.status = 'open' AND b.balance = 0 THEN 'paid'
            WHEN i.status = 'paid' AND b.balance > 0 THEN 'open'
            ELSE i.status END AS status
    FROM import_invoice n
    JOIN invoice i ON i.id = n.id
    CROSS JOIN LATERAL (
        SELECT greatest(i.total - coalesce(sum(a.amount), 0), 0) AS balance,
            coalesce(sum(a.amount) FILTER (WHERE c.kind = 'credit_note'), 0) AS credited
        FROM application a JOIN credit c ON c.id = a.credit_id
        WHERE a.invoice_id = i.id AND c.reversed_at IS NULL
    ) AS b
    WHERE n.fresh OR n.changed OR n.id IN (SELECT invoice_id FROM import_payment)
"""

_REBALANCED = """
    UPDATE invoice i SET balance = b.balance, status = b.status,
        closed_at = CASE WHEN b.status = b.was THEN i.closed_at WHEN b.status = 'paid' THEN :at END,
        closed_reason = CASE WHEN b.status = b.was THEN i.closed_reason
            WHEN b.status <> 'paid' THEN ''
            WHEN b.credited THEN 'is fully credited' ELSE 'is paid' END
    FROM import_balance b WHERE i.id = b.id AND (b.balance <> i.balance OR b.status <> b.was)
"""

_TIMELINE = """
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
"""

CUSTOMERS = (_CUSTOMERS, "ANALYZE import_customer")

WRITE = (
    _PARENTS, _NEW_CUSTOMERS, _CHANGED_CUSTOMERS,
    _CHANGED_CONTACTS, _NEW_CONTACTS, _INVOICES, "ANALYZE import_invoice", _NEW_INVOICES,
    _CHANGED_INVOICES, _PAYMENTS, _CREDIT_NOTES, _CREDITS, _APPLICATIONS, _BALANCES, _REBALANCED,
    _TIMELINE,
)  # fmt: skip

COUNT = """
    SELECT (SELECT count(*) FROM import_customer WHERE fresh OR changed) AS customers,
        (SELECT count(*) FROM import_invoice WHERE fresh OR changed)
            + (SELECT count(*) FROM import_note) AS invoices,
        (SELECT count(*) FROM import_payment) AS payments,
        (SELECT count(*) FROM import_row) - (SELECT count(*) FROM (
            SELECT line FROM import_invoice WHERE fresh OR changed
            UNION SELECT line FROM import_payment
            UNION SELECT line FROM import_note) AS news) AS unchanged
"""

TOUCHED = """
    SELECT id FROM import_customer WHERE fresh OR changed
    UNION SELECT customer_id FROM import_invoice WHERE fresh OR changed
    UNION SELECT customer_id FROM import_payment
    UNION SELECT customer_id FROM import_note
"""
