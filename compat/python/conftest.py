"""Clients of the official SDKs, pointed at a server that `cargo xtask test` started on an empty data folder."""

import os

import answers
import pytest
from alibabacloud_appstream_center20210901 import models
from alibabacloud_appstream_center20210901.client import Client
from alibabacloud_ram20150501.client import Client as RamClient
from alibabacloud_sts20150401.client import Client as StsClient
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions

answers.watch()


@pytest.hookimpl(wrapper=True)
def right_answers(item):
    """Fails the part of a test in which an answer came that the contract does not allow."""
    result = yield
    answers.raise_wrong()
    return result


pytest_runtest_setup = pytest_runtest_call = pytest_runtest_teardown = right_answers


def config(**changes):
    """What a user of the SDK would write, with only the endpoint unlike the vendor's."""
    settings = {
        "access_key_id": os.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        "access_key_secret": os.environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
        "endpoint": os.environ["APPSTREAM_ENDPOINT"],
        "protocol": "http",
    }
    return Config(**(settings | changes))


@pytest.fixture(scope="session")
def client():
    return Client(config())


@pytest.fixture(scope="session")
def ram():
    return RamClient(config())


@pytest.fixture(scope="session")
def sts():
    return StsClient(config())


@pytest.fixture(scope="session")
def greenroom(client):
    """Calls an operation of the product `greenroom`, for which the vendor has no SDK of its own, through the generic
    client that all of the vendor's SDKs are built on."""
    return greenroom_of(client)


def greenroom_of(client):
    def call(action, **parameters):
        params = Params(
            action=action,
            version="2026-12-01",
            protocol="HTTP",
            pathname="/",
            method="POST",
            auth_type="AK",
            style="RPC",
            req_body_type="formData",
            body_type="json",
        )
        return client.call_api(params, OpenApiRequest(query=parameters), RuntimeOptions())["body"]

    return call


@pytest.fixture(scope="session")
def client_with():
    """Makes clients that differ from the usual one in the settings given."""
    return lambda **changes: Client(config(**changes))


@pytest.fixture(scope="session")
def ram_with():
    """Makes such clients of the product ram."""
    return lambda **changes: RamClient(config(**changes))


@pytest.fixture(scope="session")
def sts_with():
    """Makes such clients of the product sts."""
    return lambda **changes: StsClient(config(**changes))


@pytest.fixture(scope="session")
def order():
    """The smallest order for a group with one persistent session; a test changes what it is about."""

    def make(sessions=1, **changes):
        size = "2c4g" if sessions == 1 else "4c8g"
        fields = {
            "product_type": "CloudApp",
            "app_instance_group_name": "compat",
            "app_center_image_id": "img-this-machine",
            "biz_region_id": "cn-shanghai",
            "auth_mode": "Session",
            "charge_type": "PostPaid",
            "charge_resource_mode": "Node",
            "period": 1,
            "period_unit": "Month",
            "session_timeout": 15,
            "pre_open_app_id": "ca-foot",
            "node_pool": models.CreateAppInstanceGroupRequestNodePool(
                node_instance_type=f"appstreaming.general.{size}",
                strategy_type="NODE_FIXED",
                node_amount=1,
                node_capacity=sessions,
            ),
        }
        return models.CreateAppInstanceGroupRequest(**(fields | changes))

    return make
