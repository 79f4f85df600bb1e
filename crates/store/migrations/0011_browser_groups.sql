-- oldest reader: 11
--
-- Groups that deliver browsers have ids of their own (`big-`), which an older build takes for damage.

CREATE INDEX app_groups_by_product ON app_groups (account_id, product_type, created_at, group_id);
