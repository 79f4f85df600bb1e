-- oldest reader: 4
--
-- A server that will never come back can be forgotten: its sessions are placed anew, and nobody may join under its
-- id again.

ALTER TABLE servers ADD COLUMN forgotten_at BIGINT;
