-- oldest reader: 4
-- The audit trail: a chain of rows for each writer. A row's hash covers all of its fields and the hash of the
-- row before it. Rows are only added; old ones go from the beginning of a chain, and a signed row says so.

CREATE TABLE audit_events (
    -- The server that wrote it, by a name that is its data folder's.
    writer TEXT NOT NULL,
    -- Counts the rows of the writer from 1, without gaps.
    sequence BIGINT NOT NULL,
    at BIGINT NOT NULL,
    -- Empty only before there is a root account, whose business everything is that is no other account's.
    account_id TEXT NOT NULL,
    principal_type TEXT NOT NULL,
    principal_id TEXT NOT NULL,
    principal_name TEXT NOT NULL,
    access_key_id TEXT NOT NULL,
    product TEXT NOT NULL,
    version TEXT NOT NULL,
    action TEXT NOT NULL,
    -- OK, or the code of the refusal.
    outcome TEXT NOT NULL,
    request_id TEXT NOT NULL,
    address TEXT NOT NULL,
    subject TEXT NOT NULL,
    count BIGINT NOT NULL,
    previous_hash BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (writer, sequence)
);

-- What an account is shown: its own rows, the latest first.
CREATE INDEX audit_events_by_account ON audit_events (account_id, at, writer, sequence);
