-- oldest reader: 2
--
-- What names a group here does so without a reference: a build that knows only the second schema may purge
-- the group meanwhile, and ids are never given twice.

-- A user's grants and holds, for a caller who names the user.
CREATE INDEX bindings_by_user ON bindings (end_user_id) WHERE ended_at IS NULL;
CREATE INDEX group_users_by_user ON group_users (end_user_id, group_id);

-- Users granted single apps of a group that gives out apps.
CREATE TABLE app_users (
    group_id TEXT NOT NULL,
    app_id TEXT NOT NULL,
    end_user_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (group_id, app_id, end_user_id)
);

CREATE INDEX app_users_by_user ON app_users (end_user_id, group_id);

-- What an account has set for itself; without a row it has set nothing.
CREATE TABLE account_settings (
    account_id TEXT NOT NULL PRIMARY KEY REFERENCES accounts (account_id),
    expire_remind BIGINT NOT NULL
);

-- The resource types are the words of the wire.
CREATE TABLE resource_tags (
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    tag_key TEXT NOT NULL,
    tag_value TEXT NOT NULL,
    PRIMARY KEY (account_id, resource_type, resource_id, tag_key)
);

CREATE INDEX resource_tags_by_key ON resource_tags (account_id, resource_type, tag_key, tag_value);
