-- Keys, sessions, receipts and what receipts add up to. Times are milliseconds since 1970, UTC; credits are millionths of one.

CREATE TABLE keys (
    -- AUTOINCREMENT, because a number is never used again: scripts name it.
    number         INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT    NOT NULL UNIQUE,
    revision       INTEGER NOT NULL,

    digest         TEXT    NOT NULL UNIQUE,
    hint_prefix    TEXT    NOT NULL,
    hint_last4     TEXT    NOT NULL,
    old_digest     TEXT,
    old_until_ms   INTEGER,

    name           TEXT    NOT NULL,
    description    TEXT,
    owner          TEXT,
    team           TEXT,
    tags           TEXT    NOT NULL,
    scopes         TEXT    NOT NULL,
    enabled        INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    expires_ms     INTEGER,
    limits         TEXT    NOT NULL,

    origin         TEXT    NOT NULL,
    created_by     TEXT    NOT NULL,
    revoked_ms     INTEGER,

    total_requests INTEGER NOT NULL DEFAULT 0,
    total_tokens   INTEGER NOT NULL DEFAULT 0,
    last_used_ms   INTEGER,

    created_ms     INTEGER NOT NULL,
    updated_ms     INTEGER NOT NULL,
    CHECK ((old_digest IS NULL) = (old_until_ms IS NULL))
) STRICT;
CREATE INDEX keys_by_revision ON keys (revision);

-- So that another process learns what it must forget.
CREATE TABLE removed_keys (
    id         TEXT    PRIMARY KEY,
    number     INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    removed_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX removed_keys_by_revision ON removed_keys (revision);

-- A session may be of a key from the environment, which is in no table: its key_id refers to nothing here.
CREATE TABLE sessions (
    id           TEXT    PRIMARY KEY,
    key_id       TEXT    NOT NULL,
    csrf         TEXT    NOT NULL,
    scopes       TEXT    NOT NULL,
    created_ms   INTEGER NOT NULL,
    last_seen_ms INTEGER NOT NULL,
    expires_ms   INTEGER NOT NULL,
    source       TEXT    NOT NULL,
    agent        TEXT    NOT NULL
) STRICT;

-- Receipts outlive keys and accounts: they name them by ids and numbers that are never used again, and refer to nothing.
CREATE TABLE receipts (
    number         INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms          INTEGER NOT NULL,
    request_id     TEXT    NOT NULL,
    key_id         TEXT    NOT NULL,
    owner          TEXT,
    team           TEXT,
    account        INTEGER,
    account_name   TEXT,
    protocol       TEXT    NOT NULL,
    asked          TEXT    NOT NULL,
    model          TEXT    NOT NULL,
    outcome        TEXT    NOT NULL,
    code           TEXT    NOT NULL,
    status         INTEGER NOT NULL,
    input          INTEGER NOT NULL,
    output         INTEGER NOT NULL,
    cache_read     INTEGER NOT NULL,
    cache_write    INTEGER NOT NULL,
    credits_micro  INTEGER NOT NULL,
    basis          TEXT    NOT NULL,
    first_event_ms INTEGER,
    total_ms       INTEGER NOT NULL,
    attempts       INTEGER NOT NULL,
    source         TEXT,
    agent          TEXT    NOT NULL,
    CHECK ((account IS NULL) = (account_name IS NULL))
) STRICT;
-- The one index that costs nothing to keep: receipts come in this order. Ids of requests and of keys come at random, and an index of
-- those would cost more than the receipt itself.
CREATE INDEX receipts_by_time ON receipts (at_ms);

-- Sums of receipts by the hour and by the day in which they ended: once by who asked, once by who answered. By both at once there would
-- be as many sums as receipts where many keys use many accounts. Zero and the empty text stand for none, so that they can be part of a
-- key.
CREATE TABLE key_hours (
    start_ms      INTEGER NOT NULL,
    key_id        TEXT    NOT NULL,
    owner         TEXT    NOT NULL,
    team          TEXT    NOT NULL,
    model         TEXT    NOT NULL,
    protocol      TEXT    NOT NULL,
    requests      INTEGER NOT NULL,
    succeeded     INTEGER NOT NULL,
    client_gone   INTEGER NOT NULL,
    refused       INTEGER NOT NULL,
    failed        INTEGER NOT NULL,
    input         INTEGER NOT NULL,
    output        INTEGER NOT NULL,
    cache_read    INTEGER NOT NULL,
    cache_write   INTEGER NOT NULL,
    credits_micro INTEGER NOT NULL,
    total_ms      INTEGER NOT NULL,
    PRIMARY KEY (start_ms, key_id, owner, team, model, protocol)
) STRICT, WITHOUT ROWID;

CREATE TABLE key_days (
    start_ms      INTEGER NOT NULL,
    key_id        TEXT    NOT NULL,
    owner         TEXT    NOT NULL,
    team          TEXT    NOT NULL,
    model         TEXT    NOT NULL,
    protocol      TEXT    NOT NULL,
    requests      INTEGER NOT NULL,
    succeeded     INTEGER NOT NULL,
    client_gone   INTEGER NOT NULL,
    refused       INTEGER NOT NULL,
    failed        INTEGER NOT NULL,
    input         INTEGER NOT NULL,
    output        INTEGER NOT NULL,
    cache_read    INTEGER NOT NULL,
    cache_write   INTEGER NOT NULL,
    credits_micro INTEGER NOT NULL,
    total_ms      INTEGER NOT NULL,
    PRIMARY KEY (start_ms, key_id, owner, team, model, protocol)
) STRICT, WITHOUT ROWID;

CREATE TABLE account_hours (
    start_ms      INTEGER NOT NULL,
    account       INTEGER NOT NULL,
    model         TEXT    NOT NULL,
    protocol      TEXT    NOT NULL,
    requests      INTEGER NOT NULL,
    succeeded     INTEGER NOT NULL,
    client_gone   INTEGER NOT NULL,
    refused       INTEGER NOT NULL,
    failed        INTEGER NOT NULL,
    input         INTEGER NOT NULL,
    output        INTEGER NOT NULL,
    cache_read    INTEGER NOT NULL,
    cache_write   INTEGER NOT NULL,
    credits_micro INTEGER NOT NULL,
    total_ms      INTEGER NOT NULL,
    PRIMARY KEY (start_ms, account, model, protocol)
) STRICT, WITHOUT ROWID;

CREATE TABLE account_days (
    start_ms      INTEGER NOT NULL,
    account       INTEGER NOT NULL,
    model         TEXT    NOT NULL,
    protocol      TEXT    NOT NULL,
    requests      INTEGER NOT NULL,
    succeeded     INTEGER NOT NULL,
    client_gone   INTEGER NOT NULL,
    refused       INTEGER NOT NULL,
    failed        INTEGER NOT NULL,
    input         INTEGER NOT NULL,
    output        INTEGER NOT NULL,
    cache_read    INTEGER NOT NULL,
    cache_write   INTEGER NOT NULL,
    credits_micro INTEGER NOT NULL,
    total_ms      INTEGER NOT NULL,
    PRIMARY KEY (start_ms, account, model, protocol)
) STRICT, WITHOUT ROWID;
