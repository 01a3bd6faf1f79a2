-- Version 4 adds containment: plans that were carried out, and the journal of what was done.

-- `digest` is SHA-256 of the plan in hexadecimal digits, by which it is approved; `id` its first name; `made_at`
-- seconds since 1970; `document` the plan as JSON.
CREATE TABLE plan (
    digest TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    document TEXT NOT NULL
) WITHOUT ROWID;

-- One row a line of a plan's journal, counted from 1; `receipt` is the line as JSON.
CREATE TABLE receipt (
    plan TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    receipt TEXT NOT NULL,
    PRIMARY KEY (plan, sequence)
) WITHOUT ROWID;

CREATE VIEW v_plans AS
SELECT p.digest, p.id, strftime('%Y-%m-%dT%H:%M:%SZ', p.made_at, 'unixepoch') AS made_at,
    json_extract(p.document, '$.pivot') AS pivot,
    json_array_length(p.document, '$.steps') AS steps,
    (SELECT count(*) FROM receipt AS r WHERE r.plan = p.digest) AS receipts
FROM plan AS p;

CREATE VIEW v_receipts AS
SELECT p.id AS plan, r.sequence, strftime('%Y-%m-%dT%H:%M:%SZ', r.at, 'unixepoch') AS at,
    json_extract(r.receipt, '$.work') AS work,
    json_extract(r.receipt, '$.step') AS step,
    json_extract(r.receipt, '$.happened') AS happened,
    json_extract(r.receipt, '$.request_id') AS request_id,
    r.receipt
FROM receipt AS r JOIN plan AS p ON p.digest = r.plan;
