"""The API and the gateway over TLS, with a certificate of the server's own."""

import ssl

import pytest
import requests
import websocket
from alibabacloud_appstream_center20210901 import models
from alibabacloud_tea_util.models import RuntimeOptions
from own_server import KEY, own_server


@pytest.fixture(scope="module")
def server():
    with own_server("--tls", "self-signed") as server:
        assert server.scheme == "https"
        yield server


def client(client_with, server, **changes):
    settings = {"endpoint": server.endpoint, "protocol": "https", "access_key_id": KEY[0], "access_key_secret": KEY[1]}
    return client_with(**(settings | changes))


def certificate(server):
    return str(server.data / "tls-certificate.pem")


def test_the_sdk_with_the_certificate_as_its_ca(client_with, server):
    trusting = client(client_with, server, ca=certificate(server))
    assert trusting.list_regions(models.ListRegionsRequest()).body.region_models


def test_the_sdk_told_to_trust_anybody(client_with, server):
    # By another name: for each one this SDK keeps its first connection's settings.
    careless = client(client_with, server, endpoint=server.endpoint.replace("127.0.0.1", "localhost"))
    answer = careless.list_regions_with_options(models.ListRegionsRequest(), RuntimeOptions(ignore_ssl=True))
    assert answer.body.region_models


def test_a_client_that_was_told_nothing_breaks_off(server):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"https://{server.endpoint}/healthz", timeout=30)


def test_the_player_and_its_websocket(server):
    page = requests.get(f"https://{server.endpoint}/play", verify=certificate(server), timeout=30)
    assert (page.status_code, page.headers["content-type"].split(";")[0]) == (200, "text/html")
    context = ssl.create_default_context(cafile=certificate(server))
    socket = websocket.create_connection(f"wss://{server.endpoint}/gateway/v1/ws", timeout=30, sslopt={"context": context})
    assert socket.getstatus() == 101
    socket.close()
