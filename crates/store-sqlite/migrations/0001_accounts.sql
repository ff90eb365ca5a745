-- What the house remembers about accounts. Times are milliseconds since 1970, UTC. Texts named *sealed are of qm-seal.

-- 'QMST': by which the file is known as ours.
PRAGMA application_id = 1364022100;

-- Raised by every write that another process must notice.
CREATE TABLE revision (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    value    INTEGER NOT NULL
) STRICT;
INSERT INTO revision (only_row, value) VALUES (1, 0);

CREATE TABLE accounts (
    -- AUTOINCREMENT, because a number is never used again: old receipts name it.
    number              INTEGER PRIMARY KEY AUTOINCREMENT,
    id                  TEXT    NOT NULL UNIQUE,
    revision            INTEGER NOT NULL,
    origin              TEXT    NOT NULL,
    slot                TEXT    UNIQUE,
    env_fingerprint     TEXT,

    kind                TEXT    NOT NULL,
    sealed              TEXT    NOT NULL,
    generation          INTEGER NOT NULL,
    fingerprint         TEXT    NOT NULL,
    expires_ms          INTEGER,
    last_refresh_ms     INTEGER,
    last_refresh_status TEXT    NOT NULL,

    label               TEXT    NOT NULL,
    owner               TEXT,
    tags                TEXT    NOT NULL,
    notes               TEXT,
    other               TEXT,
    enabled             INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    weight              INTEGER NOT NULL,
    priority            INTEGER NOT NULL,
    rpm                 INTEGER,
    rate_per_hour       INTEGER,
    concurrency         INTEGER,
    policy              TEXT,
    proxy               TEXT    NOT NULL CHECK (proxy IN ('house', 'direct', 'through')),
    proxy_sealed        TEXT    CHECK ((proxy_sealed IS NOT NULL) = (proxy = 'through')),
    surface_pin         TEXT,
    arn_pin             TEXT,
    region              TEXT,

    face                TEXT    NOT NULL,
    health              TEXT    NOT NULL DEFAULT '',
    health_state        TEXT    NOT NULL DEFAULT 'ready',
    usage               TEXT,
    usage_ms            INTEGER,

    success_count       INTEGER NOT NULL DEFAULT 0,
    error_count         INTEGER NOT NULL DEFAULT 0,
    error_total         INTEGER NOT NULL DEFAULT 0,
    total_requests      INTEGER NOT NULL DEFAULT 0,
    total_tokens        INTEGER NOT NULL DEFAULT 0,
    last_used_ms        INTEGER,

    lease_holder        TEXT,
    lease_until_ms      INTEGER NOT NULL DEFAULT 0,

    created_ms          INTEGER NOT NULL,
    updated_ms          INTEGER NOT NULL
) STRICT;
CREATE INDEX accounts_by_revision ON accounts (revision);

-- Every login an account has or lately had, so that the file it was imported from is still known after its token was rotated.
CREATE TABLE fingerprints (
    fingerprint TEXT    PRIMARY KEY,
    account     INTEGER NOT NULL REFERENCES accounts (number) ON DELETE CASCADE,
    generation  INTEGER NOT NULL
) STRICT;
CREATE INDEX fingerprints_by_account ON fingerprints (account);

-- So that another process learns what it must forget.
CREATE TABLE removed_accounts (
    number     INTEGER PRIMARY KEY,
    id         TEXT    NOT NULL,
    revision   INTEGER NOT NULL,
    removed_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX removed_accounts_by_revision ON removed_accounts (revision);

CREATE TABLE logins (
    id                        TEXT    PRIMARY KEY,
    kind                      TEXT    NOT NULL,
    start_url                 TEXT,
    region                    TEXT,
    draft                     TEXT    NOT NULL,
    renews                    TEXT,
    user_code                 TEXT    NOT NULL,
    verification_uri          TEXT    NOT NULL,
    verification_uri_complete TEXT,
    created_ms                INTEGER NOT NULL,
    expires_ms                INTEGER NOT NULL,
    sealed                    TEXT,
    interval_ms               INTEGER NOT NULL,
    poll_after_ms             INTEGER NOT NULL,
    status                    TEXT    NOT NULL,
    error                     TEXT,
    account_id                TEXT,
    ended_ms                  INTEGER,
    lease_holder              TEXT,
    lease_until_ms            INTEGER NOT NULL DEFAULT 0,
    -- The secrets of a login end with it.
    CHECK ((status = 'pending') = (sealed IS NOT NULL)),
    CHECK ((status = 'pending') = (ended_ms IS NULL))
) STRICT;

CREATE TABLE settings (
    key        TEXT    PRIMARY KEY,
    value      TEXT    NOT NULL,
    updated_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    number  INTEGER PRIMARY KEY,
    at_ms   INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    source  TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    detail  TEXT    NOT NULL,
    hash    TEXT    NOT NULL
) STRICT;
CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is only ever appended to'); END;
CREATE TRIGGER audit_is_never_shortened BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is only ever appended to'); END;
