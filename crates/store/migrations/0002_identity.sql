-- oldest reader: 2
--
-- From here on the secrets of access keys are sealed, which a build that knows only the first schema cannot
-- read: it must not serve on this one.

ALTER TABLE accounts ADD COLUMN disabled_at BIGINT;

-- The key that every sealed secret of this database was sealed with, by its fingerprint. One row at most.
CREATE TABLE sealing_key (
    fingerprint BYTEA NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL
);

-- RAM: who may act for an account, and what they may do. Names are unique within the account and can change;
-- ids cannot.

CREATE TABLE ram_users (
    user_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    name TEXT NOT NULL,
    display_name TEXT NOT NULL,
    mobile_phone TEXT NOT NULL,
    email TEXT NOT NULL,
    comments TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX ram_users_name ON ram_users (account_id, name);

-- Apart from the accounts' own keys, so that no statement that knows only those can take a user's key for the
-- account's.
CREATE TABLE ram_user_keys (
    access_key_id TEXT NOT NULL PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES ram_users (user_id),
    secret BYTEA NOT NULL,
    active BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE INDEX ram_user_keys_user ON ram_user_keys (user_id);

CREATE TABLE ram_groups (
    ram_group_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    name TEXT NOT NULL,
    comments TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX ram_groups_name ON ram_groups (account_id, name);

CREATE TABLE ram_group_members (
    ram_group_id TEXT NOT NULL REFERENCES ram_groups (ram_group_id),
    user_id TEXT NOT NULL REFERENCES ram_users (user_id),
    joined_at BIGINT NOT NULL,
    PRIMARY KEY (ram_group_id, user_id)
);

CREATE INDEX ram_group_members_user ON ram_group_members (user_id);

CREATE TABLE ram_roles (
    role_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    trust_policy TEXT NOT NULL,
    max_session_seconds BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX ram_roles_name ON ram_roles (account_id, name);

CREATE TABLE ram_policies (
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    default_version BIGINT NOT NULL,
    -- Never given twice, however many versions were deleted.
    next_version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, name)
);

CREATE TABLE ram_policy_versions (
    account_id TEXT NOT NULL,
    policy_name TEXT NOT NULL,
    version BIGINT NOT NULL,
    document TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, policy_name, version),
    FOREIGN KEY (account_id, policy_name) REFERENCES ram_policies (account_id, name)
);

-- `holder_id` is the id of a user, group or role, as `holder_kind` says; `policy_kind` is Custom or System.
CREATE TABLE ram_attachments (
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    holder_kind TEXT NOT NULL,
    holder_id TEXT NOT NULL,
    policy_kind TEXT NOT NULL,
    policy_name TEXT NOT NULL,
    attached_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, holder_kind, holder_id, policy_kind, policy_name)
);

CREATE INDEX ram_attachments_policy ON ram_attachments (account_id, policy_kind, policy_name);
