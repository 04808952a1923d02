-- What is wrong leaves the rows and is told.

-- name: drop_wrong
WITH gone AS (
    DELETE FROM import_row WHERE line IN (SELECT line FROM import_wrong) RETURNING line)
SELECT count(*) FROM gone

-- name: name_wrong
SELECT line, place, reason FROM import_wrong ORDER BY line, place LIMIT 1000

-- name: count_wrong
SELECT place, coalesce(cause, reason) AS cause, count(*) AS rows,
    jsonb_path_query_array(
        jsonb_agg(jsonb_build_array(line, reason) ORDER BY line), '$[0 to 2]'
    ) AS first
FROM import_wrong GROUP BY 1, 2 ORDER BY rows DESC LIMIT 200

-- name: forget_wrong
TRUNCATE import_wrong
