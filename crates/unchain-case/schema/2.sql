-- Version 2 adds views for people: strings in place of numbers, times as AWS prints them.

CREATE VIEW v_callers AS
SELECT c.id AS caller, c.key, i.kind, u.text AS unique_id, c.session,
    a.text || CASE WHEN i.arn_ends_with_session THEN coalesce(c.session, '') ELSE '' END AS arn,
    n.text AS account, un.text AS user_name, ia.text AS issuer_arn, ib.text AS invoked_by,
    si.text AS source_identity, i.mfa, i.from_console,
    strftime('%Y-%m-%dT%H:%M:%SZ', c.created, 'unixepoch') AS created
FROM caller AS c
JOIN identity AS i ON i.id = c.identity
JOIN text AS u ON u.id = i.unique_id
JOIN text AS a ON a.id = i.arn
JOIN text AS n ON n.id = i.account
JOIN text AS un ON un.id = i.user_name
JOIN text AS ia ON ia.id = i.issuer_arn
JOIN text AS ib ON ib.id = i.invoked_by
JOIN text AS si ON si.id = i.source_identity;

CREATE VIEW v_uses AS
SELECT c.id AS caller, c.key, call.source AS event_source, call.name AS event_name, o.text AS error_code,
    client.address, g.text AS user_agent, place.region, place.account,
    strftime('%Y-%m-%dT%H:%M:%SZ', use.value ->> 4, 'unixepoch') AS first_used,
    strftime('%Y-%m-%dT%H:%M:%SZ', use.value ->> 5, 'unixepoch') AS last_used,
    use.value ->> 6 AS events
FROM caller AS c, json_each(c.uses) AS use
JOIN call ON call.id = use.value ->> 0
JOIN client ON client.id = use.value ->> 1
JOIN place ON place.id = use.value ->> 2
JOIN text AS o ON o.id = use.value ->> 3
JOIN text AS g ON g.id = client.agent;

CREATE VIEW v_facts AS
SELECT f.id AS fact, strftime('%Y-%m-%dT%H:%M:%SZ', f.time, 'unixepoch') AS time, call.name AS event_name,
    c.key AS caller_key, a.text || CASE WHEN i.arn_ends_with_session THEN coalesce(c.session, '') ELSE '' END
        AS caller_arn,
    f.child_key, f.session_name, strftime('%Y-%m-%dT%H:%M:%SZ', f.expires, 'unixepoch') AS expires,
    client.address, place.region, place.account,
    CASE typeof(f.event_id) WHEN 'blob' THEN lower(substr(hex(f.event_id), 1, 8) || '-'
        || substr(hex(f.event_id), 9, 4) || '-' || substr(hex(f.event_id), 13, 4) || '-'
        || substr(hex(f.event_id), 17, 4) || '-' || substr(hex(f.event_id), 21, 12))
        ELSE f.event_id END AS event_id
FROM fact AS f
JOIN call ON call.id = f.call
JOIN client ON client.id = f.client
JOIN place ON place.id = f.place
JOIN caller AS c ON c.id = f.caller
JOIN identity AS i ON i.id = c.identity
JOIN text AS a ON a.id = i.arn;

CREATE VIEW v_details AS
SELECT f.id AS fact, attribute.name AS attribute,
    CASE WHEN attribute.is_number THEN d.value ->> 1
        ELSE t.text || CASE WHEN d.value ->> 2 THEN coalesce(f.session_name, '') ELSE '' END END AS value
FROM fact AS f
JOIN detail ON detail.id = f.detail, json_each(detail.attributes) AS d
JOIN attribute ON attribute.id = d.value ->> 0
LEFT JOIN text AS t ON NOT attribute.is_number AND t.id = d.value ->> 1;

CREATE VIEW v_edges AS
SELECT caller_key AS parent_key, caller_arn AS parent_arn, child_key, event_name AS api, time, expires,
    event_id
FROM v_facts
WHERE child_key IS NOT NULL;

CREATE VIEW v_files AS
SELECT path, kind, compression, size, read, parsed, filtered, read - parsed AS refused, damage,
    strftime('%Y-%m-%dT%H:%M:%SZ', earliest, 'unixepoch') AS earliest,
    strftime('%Y-%m-%dT%H:%M:%SZ', latest, 'unixepoch') AS latest
FROM file;

CREATE VIEW v_coverage AS
SELECT place.account, place.region, strftime('%Y-%m-%d', coverage.day * 86400, 'unixepoch') AS day,
    coverage.hours
FROM coverage
JOIN place ON place.id = coverage.place;
