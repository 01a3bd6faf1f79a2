-- Version 3 adds digest files: which log files CloudTrail says it delivered.

-- One row a digest. `account`, `region` and `trail` are ids of texts; times are seconds since 1970, 0 if not
-- said.
CREATE TABLE digest (
    account INTEGER NOT NULL,
    region INTEGER NOT NULL,
    trail INTEGER NOT NULL,
    backfill INTEGER NOT NULL,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    files INTEGER NOT NULL,
    oldest INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    PRIMARY KEY (account, region, trail, backfill, start, end, previous, files, oldest, newest)
) WITHOUT ROWID;

CREATE VIEW v_digests AS
SELECT a.text AS account, r.text AS region, t.text AS trail, d.backfill,
    strftime('%Y-%m-%dT%H:%M:%SZ', d.start, 'unixepoch') AS start,
    strftime('%Y-%m-%dT%H:%M:%SZ', d.end, 'unixepoch') AS end,
    strftime('%Y-%m-%dT%H:%M:%SZ', nullif(d.previous, 0), 'unixepoch') AS previous,
    d.files
FROM digest AS d
JOIN text AS a ON a.id = d.account
JOIN text AS r ON r.id = d.region
JOIN text AS t ON t.id = d.trail;
