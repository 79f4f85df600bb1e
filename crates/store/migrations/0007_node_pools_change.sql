-- oldest reader: 7
-- Nodes come and go. An older build must not serve beside this one: it would not let a session that is to
-- leave go once nobody holds it, and would give away the room of the nodes that scaling has added.

-- Nodes that scaling has added, beside those of `node_amount`, and when it last added any.
ALTER TABLE node_pools ADD COLUMN scaling_amount BIGINT NOT NULL DEFAULT 0;
ALTER TABLE node_pools ADD COLUMN scaled_at BIGINT;

CREATE INDEX node_pools_scaling ON node_pools (pool_id) WHERE strategy_type <> 'NODE_FIXED';

-- Its node was added by scaling.
ALTER TABLE app_instances ADD COLUMN elastic BIGINT NOT NULL DEFAULT 0;
-- Since when it is to go, which it does once nobody holds its session; null while it stays.
ALTER TABLE app_instances ADD COLUMN leaving_since BIGINT;
-- When it was made, or its session was last let go by everybody.
ALTER TABLE app_instances ADD COLUMN idle_since BIGINT NOT NULL DEFAULT 0;

CREATE INDEX app_instances_leaving ON app_instances (group_id) WHERE leaving_since IS NOT NULL;
