-- oldest reader: 10
-- Listings whose late pages cost no more than early ones. An older build must not serve beside this one: it would
-- neither count the instances that come and go, nor say whose the bindings are that it makes.

-- How many app instances of a group that are not deleted lie in each run of ordinals, as `session_blocks` has it
-- for sessions.
CREATE TABLE instance_blocks (
    group_id TEXT NOT NULL REFERENCES app_groups (group_id),
    level BIGINT NOT NULL,
    block BIGINT NOT NULL,
    instances BIGINT NOT NULL,
    PRIMARY KEY (group_id, level, block)
);

INSERT INTO instance_blocks (group_id, level, block, instances)
    SELECT group_id, 6, ordinal / 64, COUNT(*) FROM app_instances
        WHERE status <> 'DELETED' GROUP BY group_id, ordinal / 64;
INSERT INTO instance_blocks (group_id, level, block, instances)
    SELECT group_id, 12, ordinal / 4096, COUNT(*) FROM app_instances
        WHERE status <> 'DELETED' GROUP BY group_id, ordinal / 4096;
INSERT INTO instance_blocks (group_id, level, block, instances)
    SELECT group_id, 18, ordinal / 262144, COUNT(*) FROM app_instances
        WHERE status <> 'DELETED' GROUP BY group_id, ordinal / 262144;

-- Whose the binding is, so that an account's open ones lie in an index in the order of their listing. The index has
-- all that passing over them looks at: SQLite reads the row for `ended_at` otherwise.
ALTER TABLE bindings ADD COLUMN account_id TEXT NOT NULL DEFAULT '';

UPDATE bindings SET account_id = COALESCE((SELECT g.account_id FROM sessions s
    JOIN app_groups g ON g.group_id = s.group_id WHERE s.session_id = bindings.session_id), '');

CREATE INDEX bindings_listing ON bindings (account_id, created_at, binding_id, session_id, ended_at)
    WHERE ended_at IS NULL;

-- The ordinary sessions that are free for whoever comes next; `store/src/tasks.rs` asks in these words.
CREATE INDEX sessions_free ON sessions (group_id, ordinal)
    WHERE instance_status = 'IDLE' AND desired = 'STOPPED' AND asked IS NULL;
