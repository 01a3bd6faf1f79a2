-- Version 1. Never edited: a later version adds a file. docs/case-file.md explains every table.

-- Texts that many rows share. 0 is the empty text.
CREATE TABLE text (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
);
INSERT INTO text VALUES (0, '');

-- `userIdentity` without what is particular to one session. Columns after `kind` are ids of texts.
CREATE TABLE identity (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    mfa TEXT NOT NULL,
    from_console INTEGER NOT NULL,
    arn_ends_with_session INTEGER NOT NULL,
    unique_id INTEGER NOT NULL,
    arn INTEGER NOT NULL,
    account INTEGER NOT NULL,
    user_name INTEGER NOT NULL,
    issuer_arn INTEGER NOT NULL,
    issuer_id INTEGER NOT NULL,
    invoked_by INTEGER NOT NULL,
    type_name INTEGER NOT NULL,
    source_identity INTEGER NOT NULL,
    sign_in_session INTEGER NOT NULL,
    on_behalf_of INTEGER NOT NULL,
    identity_store INTEGER NOT NULL,
    credential_id INTEGER NOT NULL,
    provider INTEGER NOT NULL,
    delegate INTEGER NOT NULL,
    role_delivery INTEGER NOT NULL,
    in_scope_of INTEGER NOT NULL,
    assumed_root INTEGER NOT NULL,
    UNIQUE (unique_id, arn, account, kind, mfa, from_console, arn_ends_with_session, user_name,
        issuer_arn, issuer_id, invoked_by, type_name, source_identity, sign_in_session, on_behalf_of,
        identity_store, credential_id, provider, delegate, role_delivery, in_scope_of, assumed_root)
);

-- Who made calls: an identity with one key and session, and what it did.
CREATE TABLE caller (
    id INTEGER PRIMARY KEY,
    identity INTEGER NOT NULL,
    key TEXT,
    session TEXT,
    created INTEGER,
    uses TEXT NOT NULL,
    ends BLOB NOT NULL,
    marks BLOB
);

-- The event marks of callers with very many events, by day.
CREATE TABLE caller_day (
    caller INTEGER NOT NULL,
    day INTEGER NOT NULL,
    marks BLOB NOT NULL,
    PRIMARY KEY (caller, day)
);

CREATE TABLE call (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    category TEXT NOT NULL,
    read_only TEXT NOT NULL,
    UNIQUE (source, name, category, read_only)
);

CREATE TABLE client (
    id INTEGER PRIMARY KEY,
    address TEXT NOT NULL,
    agent INTEGER NOT NULL,
    endpoint INTEGER NOT NULL,
    UNIQUE (address, agent, endpoint)
);

CREATE TABLE place (
    id INTEGER PRIMARY KEY,
    region TEXT NOT NULL,
    account TEXT NOT NULL,
    UNIQUE (region, account)
);

-- Hours from which a place has events: bit n of `hours` is hour n of the day, UTC.
CREATE TABLE coverage (
    place INTEGER NOT NULL,
    day INTEGER NOT NULL,
    hours INTEGER NOT NULL,
    PRIMARY KEY (place, day)
) WITHOUT ROWID;

CREATE TABLE attribute (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    is_number INTEGER NOT NULL
);

-- Lists of attributes that many facts share: JSON, [[attribute, value, ends with session name], …].
CREATE TABLE detail (
    id INTEGER PRIMARY KEY,
    attributes TEXT NOT NULL UNIQUE
);

-- Events that issued, made, changed or ended something.
CREATE TABLE fact (
    id INTEGER PRIMARY KEY,
    caller INTEGER NOT NULL,
    call INTEGER NOT NULL,
    client INTEGER NOT NULL,
    place INTEGER NOT NULL,
    time INTEGER NOT NULL,
    hash INTEGER NOT NULL,
    event_id,
    shared_id,
    child_key TEXT,
    session_name TEXT,
    expires INTEGER,
    detail INTEGER NOT NULL
);

-- Denied or failed attempts at such events, counted with all that differ only in their time.
CREATE TABLE attempt (
    caller INTEGER NOT NULL,
    call INTEGER NOT NULL,
    client INTEGER NOT NULL,
    place INTEGER NOT NULL,
    outcome INTEGER NOT NULL,
    target INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    first INTEGER NOT NULL,
    first_hash INTEGER NOT NULL,
    first_id,
    last INTEGER NOT NULL,
    last_hash INTEGER NOT NULL,
    last_id,
    PRIMARY KEY (caller, call, client, place, outcome, target, serial)
) WITHOUT ROWID;

-- What was read.
CREATE TABLE file (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL,
    modified INTEGER,
    fingerprint INTEGER NOT NULL,
    kind TEXT NOT NULL,
    compression TEXT NOT NULL,
    read INTEGER NOT NULL,
    parsed INTEGER NOT NULL,
    filtered INTEGER NOT NULL,
    refused TEXT NOT NULL,
    notes TEXT NOT NULL,
    damage TEXT,
    earliest INTEGER,
    latest INTEGER,
    keys BLOB NOT NULL
);

-- Each write that added something.
CREATE TABLE scan (
    id INTEGER PRIMARY KEY,
    files INTEGER NOT NULL,
    events INTEGER NOT NULL,
    uses INTEGER NOT NULL,
    callers INTEGER NOT NULL,
    facts INTEGER NOT NULL
);

-- From hashes of what rows are joined by to the rows; packed, for the program only.
CREATE TABLE link_run (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    bits INTEGER NOT NULL,
    entries INTEGER NOT NULL
);
CREATE TABLE link (
    id INTEGER PRIMARY KEY,
    entries BLOB NOT NULL
);
