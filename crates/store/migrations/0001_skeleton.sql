-- oldest reader: 1
--
-- Portable between SQLite and PostgreSQL: TEXT, BIGINT and BYTEA only. Booleans are 0 and 1, times are
-- milliseconds since the Unix epoch, statuses are the words of the wire.

-- Accounts and their keys ------------------------------------------------------------------------------

CREATE TABLE accounts (
    account_id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    is_root BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- At most one root account, whoever asks first.
CREATE UNIQUE INDEX accounts_root ON accounts (is_root) WHERE is_root = 1;

CREATE TABLE access_keys (
    access_key_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    -- The first byte names the form of the rest, so that secrets can be encrypted without a new column.
    secret BYTEA NOT NULL,
    active BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX access_keys_account ON access_keys (account_id);

-- The nonce of a call that changed something, written in the transaction that changed it.
CREATE TABLE used_nonces (
    nonce_hash BYTEA NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);

CREATE INDEX used_nonces_expiry ON used_nonces (expires_at);

-- Delivery groups --------------------------------------------------------------------------------------

CREATE TABLE app_groups (
    group_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    name TEXT NOT NULL,
    product_type TEXT NOT NULL,
    auth_mode TEXT NOT NULL,
    region TEXT NOT NULL,
    image_id TEXT NOT NULL,
    spec_id TEXT NOT NULL,
    policy_id TEXT,
    pre_open_app TEXT,
    session_timeout BIGINT NOT NULL,
    skip_user_check BIGINT NOT NULL,
    -- What the creator asked for, as JSON: for the operations that answer it, opaque here.
    settings TEXT NOT NULL,
    charge_type TEXT NOT NULL,
    charge_resource_mode TEXT NOT NULL,
    sub_pay_type TEXT,
    period BIGINT NOT NULL,
    period_unit TEXT NOT NULL,
    auto_pay BIGINT NOT NULL,
    auto_renew BIGINT NOT NULL,
    order_id TEXT NOT NULL,
    expires_at BIGINT,
    status TEXT NOT NULL,
    status_reason TEXT NOT NULL,
    -- Kept by the transactions that add and purge sessions: counting a million rows takes 28 to 47 ms.
    session_count BIGINT NOT NULL,
    -- The ordinal the next session gets; never given twice, and the number in the session's name.
    next_session BIGINT NOT NULL,
    next_instance BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);

CREATE INDEX app_groups_listing ON app_groups (account_id, created_at, group_id);
-- The few groups a reconciler has to look at.
CREATE INDEX app_groups_settling ON app_groups (group_id) WHERE status IN ('DEPLOYING', 'DELETING');

CREATE TABLE node_pools (
    pool_id TEXT NOT NULL PRIMARY KEY,
    group_id TEXT NOT NULL REFERENCES app_groups (group_id),
    instance_type TEXT NOT NULL,
    node_amount BIGINT NOT NULL,
    node_capacity BIGINT NOT NULL,
    strategy_type TEXT NOT NULL,
    -- The rest of the strategy, as JSON.
    strategy TEXT NOT NULL
);

CREATE INDEX node_pools_group ON node_pools (group_id);

-- Sessions and the instances that carry them -----------------------------------------------------------

CREATE TABLE app_instances (
    instance_id TEXT NOT NULL PRIMARY KEY,
    group_id TEXT NOT NULL REFERENCES app_groups (group_id),
    ordinal BIGINT NOT NULL,
    node_id TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX app_instances_position ON app_instances (group_id, ordinal);

CREATE TABLE sessions (
    session_id TEXT NOT NULL PRIMARY KEY,
    group_id TEXT NOT NULL REFERENCES app_groups (group_id),
    -- Oldest first: ordinals grow with (created_at, session_id) within a group.
    ordinal BIGINT NOT NULL,
    -- Counts the sessions of the whole installation: a small number for drivers that need one (a user id).
    serial BIGINT NOT NULL,
    name TEXT NOT NULL,
    -- The instance that carries it now; another one after it has moved.
    instance_id TEXT NOT NULL REFERENCES app_instances (instance_id),
    -- That instance's status, as in its own row: looking up twenty instances whose ids are random doubles
    -- the time a page takes.
    instance_status TEXT NOT NULL,
    status TEXT NOT NULL,
    status_reason TEXT NOT NULL,
    status_since BIGINT NOT NULL,
    desired TEXT NOT NULL,
    -- What was asked and not acted on yet; null when nothing was.
    asked TEXT,
    -- Raised by every write of intent or observation: whoever read an older one may not write.
    generation BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    home_lost BIGINT NOT NULL,
    -- When somebody has to look at it again; null when nothing is due.
    wake_at BIGINT,
    -- The runtime's own words; null when nothing runs.
    handle BYTEA,
    opened_apps TEXT NOT NULL,
    observed_at BIGINT,
    observed_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);

CREATE UNIQUE INDEX sessions_position ON sessions (group_id, ordinal);
CREATE INDEX sessions_instance ON sessions (instance_id);
CREATE INDEX sessions_due ON sessions (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX sessions_with_handle ON sessions (session_id) WHERE handle IS NOT NULL;
CREATE INDEX sessions_deleted ON sessions (deleted_at) WHERE deleted_at IS NOT NULL;

-- How many sessions of a group lie in each run of ordinals; level n covers 64 to the power n ordinals. A
-- position is found by walking three short runs of these, however many sessions there are or were.
CREATE TABLE session_blocks (
    group_id TEXT NOT NULL REFERENCES app_groups (group_id),
    level BIGINT NOT NULL,
    block BIGINT NOT NULL,
    sessions BIGINT NOT NULL,
    PRIMARY KEY (group_id, level, block)
);

-- Users ------------------------------------------------------------------------------------------------

CREATE TABLE end_users (
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    end_user_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, end_user_id)
);

CREATE TABLE session_users (
    session_id TEXT NOT NULL REFERENCES sessions (session_id),
    end_user_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (session_id, end_user_id)
);

-- A user's sessions, for a caller who names the user only.
CREATE INDEX session_users_by_user ON session_users (end_user_id, session_id);

CREATE TABLE group_users (
    group_id TEXT NOT NULL REFERENCES app_groups (group_id),
    end_user_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (group_id, end_user_id)
);

-- Bindings, tickets, tasks -----------------------------------------------------------------------------

CREATE TABLE bindings (
    binding_id TEXT NOT NULL PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (session_id),
    end_user_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Null while a viewer is there.
    disconnected_at BIGINT,
    -- When it ends unless its user comes back; null when it does not end by itself.
    expires_at BIGINT,
    ended_at BIGINT,
    end_reason TEXT NOT NULL
);

-- A user holds a session once.
CREATE UNIQUE INDEX bindings_open ON bindings (session_id, end_user_id) WHERE ended_at IS NULL;
CREATE INDEX bindings_expiry ON bindings (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX bindings_session ON bindings (session_id);
CREATE INDEX bindings_ended ON bindings (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX bindings_connected ON bindings (binding_id) WHERE ended_at IS NULL AND disconnected_at IS NULL;

CREATE TABLE tickets (
    ticket_hash BYTEA NOT NULL PRIMARY KEY,
    binding_id TEXT NOT NULL REFERENCES bindings (binding_id),
    app_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);

CREATE INDEX tickets_binding ON tickets (binding_id);
CREATE INDEX tickets_expiry ON tickets (expires_at);

CREATE TABLE resume_tokens (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    binding_id TEXT NOT NULL REFERENCES bindings (binding_id),
    app_id TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX resume_tokens_binding ON resume_tokens (binding_id);

CREATE TABLE ticket_tasks (
    task_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    session_id TEXT NOT NULL REFERENCES sessions (session_id),
    binding_id TEXT NOT NULL REFERENCES bindings (binding_id),
    end_user_id TEXT NOT NULL,
    app_id TEXT NOT NULL,
    app_arguments TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX ticket_tasks_session ON ticket_tasks (session_id);
CREATE INDEX ticket_tasks_binding ON ticket_tasks (binding_id);
CREATE INDEX ticket_tasks_running ON ticket_tasks (created_at) WHERE status = 'Running';

-- Counters of the whole installation. `heartbeat` is raised by the readiness check, because a full disk
-- still reads well.
CREATE TABLE counters (
    counter TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

INSERT INTO counters (counter, value) VALUES ('heartbeat', 0), ('session_serial', 0);
