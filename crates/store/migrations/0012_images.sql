-- oldest reader: 11
--
-- Images that accounts make of their sessions. The rows of those that are deleted stay for a while, so that nothing
-- is made of an image that has just gone.

CREATE TABLE images (
    image_id TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (account_id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    -- The session that it is made of; the session may have gone since.
    session_id TEXT NOT NULL,
    -- The image that it lies upon: the account's own or the installation's.
    parent_id TEXT NOT NULL,
    -- The server with its files.
    server_id TEXT NOT NULL,
    status TEXT NOT NULL,
    status_reason TEXT NOT NULL,
    -- JSON: what its sessions can open.
    apps TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);

CREATE INDEX images_of_account ON images (account_id, created_at, image_id);
CREATE INDEX images_to_act_on ON images (server_id, status);
