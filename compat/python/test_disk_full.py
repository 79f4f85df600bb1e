"""A server that cannot write says that it is its own fault, and answers what needs no writing."""

import pytest
from alibabacloud_appstream_center20210901 import models
from alibabacloud_ram20150501 import models as ram_models
from alibabacloud_tea_openapi.exceptions import ServerException
from own_server import KEY, own_server

CALLS = 1_000


def test_a_full_disk(client_with, ram_with):
    with own_server(largest_file=1 << 20) as server:
        there = {"endpoint": server.endpoint, "access_key_id": KEY[0], "access_key_secret": KEY[1]}
        ram = ram_with(**there)
        with pytest.raises(ServerException) as told:
            for made in range(CALLS):
                ram.create_user(ram_models.CreateUserRequest(user_name=f"user-{made}", comments="x" * 128))
        error = told.value
        assert (error.status_code, error.code) == (503, "ServiceUnavailable")
        last = ram_models.GetUserRequest(user_name=f"user-{made - 1}")
        assert ram.get_user(last).body.user.comments
        assert client_with(**there).list_regions(models.ListRegionsRequest()).body.region_models
