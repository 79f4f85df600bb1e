-- oldest reader: 7
--
-- A group that names no policy has one of its own, so that its video settings can be changed by it.

UPDATE app_groups SET policy_id = 'pg-' || substr(group_id, 5) WHERE policy_id IS NULL;

CREATE INDEX app_groups_policy ON app_groups (account_id, policy_id);
