-- oldest reader: 4
--
-- The servers of the database. Times in this table are those of the database's own clock, which is the same for
-- all of them.

CREATE TABLE servers (
    server_id TEXT NOT NULL PRIMARY KEY,
    -- How browsers reach it; empty when nobody has said.
    address TEXT NOT NULL,
    -- Raised whenever it starts or is taken for lost: whoever shows an older one may not write.
    epoch BIGINT NOT NULL,
    -- Since when it has held its lease without a gap.
    held_since BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    -- When another server took it for lost; null while none has.
    lost_at BIGINT,
    -- Processors that it gives out, and sessions that live on it: of two servers the emptier takes the next.
    processors BIGINT NOT NULL,
    sessions BIGINT NOT NULL
);

-- The server that has the session's home and processes; null until one has taken it in. It never changes again.
ALTER TABLE sessions ADD COLUMN server_id TEXT;

CREATE INDEX sessions_due_at_server ON sessions (server_id, wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX sessions_up_at_server ON sessions (server_id, session_id)
    WHERE status IN ('PENDING', 'STARTING', 'RUNNING');
