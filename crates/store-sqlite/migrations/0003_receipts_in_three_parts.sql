-- What receipts have in common is written once: a receipt was some 300 bytes in 24 columns, of which it shared most with its neighbours.
-- `receipts` stays what it was, for reading.

-- With what the hashes begin that name such rows: nobody outside can look for two texts of one name.
CREATE TABLE receipt_seed (seed BLOB NOT NULL) STRICT;
INSERT INTO receipt_seed VALUES (randomblob(16));

-- Who asked, and for what.
CREATE TABLE receipt_askings (
    -- The beginning of a hash of all that the row says, so that nothing is looked up to refer to it. Those below zero are of receipts from
    -- before there were such rows.
    id       INTEGER PRIMARY KEY,
    -- No receipt that refers to this ended later.
    last_ms  INTEGER NOT NULL,
    key_id   TEXT    NOT NULL,
    owner    TEXT,
    team     TEXT,
    protocol TEXT    NOT NULL,
    asked    TEXT    NOT NULL,
    model    TEXT    NOT NULL,
    source   TEXT,
    agent    TEXT    NOT NULL
) STRICT;

-- Who answered, and how it ended.
CREATE TABLE receipt_answerings (
    id           INTEGER PRIMARY KEY,
    last_ms      INTEGER NOT NULL,
    account      INTEGER,
    account_name TEXT,
    outcome      TEXT    NOT NULL,
    code         TEXT    NOT NULL,
    status       INTEGER NOT NULL,
    basis        TEXT    NOT NULL,
    attempts     INTEGER NOT NULL,
    CHECK ((account IS NULL) = (account_name IS NULL))
) STRICT;

-- What a receipt has for itself. It is written so often that the database is not asked whether what it refers to is there: that is written
-- in the same transaction, and forgotten after the last receipt.
CREATE TABLE receipt_rows (
    number         INTEGER PRIMARY KEY AUTOINCREMENT,
    at_ms          INTEGER NOT NULL,
    request_id     TEXT    NOT NULL,
    asking         INTEGER NOT NULL,
    answering      INTEGER NOT NULL,
    input          INTEGER NOT NULL,
    output         INTEGER NOT NULL,
    cache_read     INTEGER NOT NULL,
    cache_write    INTEGER NOT NULL,
    credits_micro  INTEGER NOT NULL,
    first_event_ms INTEGER,
    total_ms       INTEGER NOT NULL
) STRICT;

INSERT INTO receipt_askings
    SELECT -row_number() OVER (), max(at_ms), key_id, owner, team, protocol, asked, model, source, agent FROM receipts
    GROUP BY key_id, owner, team, protocol, asked, model, source, agent;
INSERT INTO receipt_answerings
    SELECT -row_number() OVER (), max(at_ms), account, account_name, outcome, code, status, basis, attempts FROM receipts
    GROUP BY account, account_name, outcome, code, status, basis, attempts;
INSERT INTO receipt_rows
    SELECT number, at_ms, request_id, asking.id, answering.id,
        input, output, cache_read, cache_write, credits_micro, first_event_ms, total_ms
    FROM receipts AS old
    CROSS JOIN receipt_askings AS asking ON asking.key_id = old.key_id AND asking.owner IS old.owner
        AND asking.team IS old.team AND asking.protocol = old.protocol AND asking.asked = old.asked
        AND asking.model = old.model AND asking.source IS old.source AND asking.agent = old.agent
    CROSS JOIN receipt_answerings AS answering ON answering.account IS old.account
        AND answering.account_name IS old.account_name AND answering.outcome = old.outcome AND answering.code = old.code
        AND answering.status = old.status AND answering.basis = old.basis AND answering.attempts = old.attempts
    ORDER BY number;
-- Numbers go on where they were, also after those of receipts that are forgotten.
DELETE FROM sqlite_sequence WHERE name = 'receipt_rows';
INSERT INTO sqlite_sequence (name, seq) SELECT 'receipt_rows', seq FROM sqlite_sequence WHERE name = 'receipts';
DROP TABLE receipts;

-- The one index that costs little to keep: receipts come in this order. Ids of requests come at random, and an index of those would cost
-- more than the receipt itself.
CREATE INDEX receipts_by_time ON receipt_rows (at_ms);

-- CROSS JOIN: receipts are gone through by their time, whatever is asked of them.
CREATE VIEW receipts AS
    SELECT number, at_ms, request_id, key_id, owner, team, account, account_name, protocol, asked, model, outcome, code, status,
        input, output, cache_read, cache_write, credits_micro, basis, first_event_ms, total_ms, attempts, source, agent
    FROM receipt_rows
    CROSS JOIN receipt_askings ON receipt_askings.id = receipt_rows.asking
    CROSS JOIN receipt_answerings ON receipt_answerings.id = receipt_rows.answering;
