"""The vendor's library of credentials, which assumes a role by itself for a client that is told only the role.

It speaks to sts over TLS only.
"""

import pytest
import requests
from alibabacloud_appstream_center20210901 import models
from alibabacloud_credentials.client import Client as CredentialsClient
from alibabacloud_credentials.models import Config as Credentials
from alibabacloud_tea_openapi.exceptions import ClientException
from identities import a_role, an_actor
from own_server import KEY, own_server


@pytest.fixture
def server(monkeypatch):
    with own_server("--tls", "self-signed") as server:
        # This machine trusts the server: the library takes no certificate of its own.
        monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(server.data / "tls-certificate.pem"))
        yield server


def test_a_client_that_is_told_a_role_does_what_the_role_may(server, client_with, ram_with, sts_with):
    there = {"endpoint": server.endpoint, "protocol": "https"}
    root = there | {"access_key_id": KEY[0], "access_key_secret": KEY[1]}
    account = sts_with(**root).get_caller_identity().body.account_id
    ram = ram_with(**root)
    with an_actor(ram, "actor") as user, a_role(ram, "viewer", account) as role:
        settings = Credentials(type="ram_role_arn", role_arn=role, sts_endpoint=server.endpoint, **user)
        by_role = {"credential": CredentialsClient(settings), "access_key_id": None, "access_key_secret": None}
        client = client_with(**by_role, **there)
        assert client.list_regions(models.ListRegionsRequest()).body.region_models
        delete = models.DeleteAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id="aig-1")
        with pytest.raises(ClientException) as told:
            client.delete_app_instance_group(delete)
        assert told.value.access_denied_detail["AuthPrincipalType"] == "AssumedRoleUser"
