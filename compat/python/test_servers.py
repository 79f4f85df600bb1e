"""The servers that share a database, by the product `greenroom`."""

import time

import pytest
from alibabacloud_tea_openapi.exceptions import ClientException
from conftest import greenroom_of
from own_server import KEY, own_server

LIMIT_S = 60

# Of a server that was there once, and whose lease ended long ago.
GONE = """INSERT INTO servers (server_id, address, epoch, held_since, seen_at, lease_until, processors, sessions)
    VALUES ('srv-gone', '', 1, 0, 0, 0, 8, 0)"""


def test_a_server_that_is_lost_is_forgotten_and_one_that_is_seen_is_not(client_with):
    with own_server() as server:
        server.execute(GONE)
        there = {"endpoint": server.endpoint, "access_key_id": KEY[0], "access_key_secret": KEY[1]}
        greenroom = greenroom_of(client_with(**there))

        def statuses():
            return {it["ServerId"]: it["Status"] for it in greenroom("ListServers")["Servers"]}

        deadline = time.monotonic() + LIMIT_S
        while statuses()["srv-gone"] != "LOST":
            assert time.monotonic() < deadline, statuses()
            time.sleep(0.2)
        (own,) = statuses().keys() - {"srv-gone"}
        with pytest.raises(ClientException) as told:
            greenroom("ForgetServer", ServerId=own)
        assert told.value.code == "OperationDenied.ServerActive"
        assert greenroom("ForgetServer", ServerId="srv-gone")["SessionCount"] == 0
        assert statuses() == {own: "ACTIVE"}
