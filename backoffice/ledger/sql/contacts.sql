-- Main contacts and their addresses (rule 35).

-- name: changed_contacts
-- A changed address is valid again (rule 35), an unchanged one keeps its mark, and one that a
-- member corrected stays corrected until something else is reported.
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

-- name: new_contacts
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
