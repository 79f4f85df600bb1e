"""Every class of mistake reaches the caller as the SDK's own exception, with a code a program can act on."""

import pytest
from alibabacloud_appstream_center20210901 import models
from alibabacloud_tea_openapi.exceptions import ClientException, ServerException, ThrottlingException


def fault(call):
    """The exception of a call that must be refused, checked for what every refusal has."""
    with pytest.raises(ClientException) as told:
        call()
    error = told.value
    assert not isinstance(error, (ServerException, ThrottlingException))
    assert 400 <= error.status_code < 500
    assert error.request_id
    return error


def list_sessions(client, **fields):
    fields = {"product_type": "CloudApp", "app_instance_group_id": "aig-00000000000000000"} | fields
    return lambda: client.list_persistent_app_instances(models.ListPersistentAppInstancesRequest(**fields))


def test_an_unknown_access_key(client_with):
    error = fault(list_sessions(client_with(access_key_id="LTAI0000000000000000")))
    assert error.code == "InvalidAccessKeyId.NotFound"


def test_a_wrong_secret(client_with):
    error = fault(list_sessions(client_with(access_key_secret="not the secret")))
    assert error.code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("algorithm", [None, "v2"])
def test_a_bearer_token_leads_to_no_key(client_with, algorithm):
    bearer = {"bearer_token": "a-token", "access_key_id": None, "access_key_secret": None}
    error = fault(lambda: client_with(signature_algorithm=algorithm, **bearer).list_regions(models.ListRegionsRequest()))
    assert (error.code, error.status_code) == ("InvalidAccessKeyId.NotFound", 404)


def test_the_other_hash_of_the_newer_signature_is_taken_as_well(client_with):
    body = client_with(signature_algorithm="ACS3-HMAC-SM3").list_regions(models.ListRegionsRequest()).body
    assert body.region_models


def test_the_older_signature_is_taken_as_well(client_with):
    body = client_with(signature_algorithm="v2").list_regions(models.ListRegionsRequest()).body
    assert body.region_models


def test_a_missing_parameter_is_named(client):
    error = fault(list_sessions(client, app_instance_group_id=None))
    assert error.code == "MissingAppInstanceGroupId"
    assert "AppInstanceGroupId is mandatory for this action." in error.message


@pytest.mark.parametrize(
    ("field", "value", "parameter"),
    [
        ("page_size", 0, "PageSize"),
        ("page_size", 101, "PageSize"),
        ("page_size", "many", "PageSize"),
        ("page_number", 0, "PageNumber"),
        ("product_type", "CloudToaster", "ProductType"),
        ("app_instance_persistent_ids", ["p-0"] * 101, "AppInstancePersistentIds"),
    ],
)
def test_a_wrong_value_is_named(client, field, value, parameter):
    assert fault(list_sessions(client, **{field: value})).code == f"InvalidParameter.{parameter}"


def test_a_group_that_is_not_there(client):
    group = {"product_type": "CloudApp", "app_instance_group_id": "aig-00000000000000000"}
    get = models.GetAppInstanceGroupRequest(**group)
    delete = models.DeleteAppInstanceGroupRequest(**group)
    assert fault(lambda: client.get_app_instance_group(get)).code == "InvalidAppInstanceGroup.NotFound"
    # The recorded code of this operation differs from its sisters'.
    code = fault(lambda: client.delete_app_instance_group(delete)).code
    assert code == "InvalidAppInstanceGroupSpecItem.NotFound"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"biz_region_id": None}, "MissingBizRegionId"),
        ({"session_timeout": 2}, "InvalidParameter.SessionTimeout"),
        ({"auth_mode": "Nobody"}, "InvalidParameter.AuthMode"),
        ({"pre_open_app_id": "ca-nothing"}, "InvalidParameter.PreOpenAppId"),
        ({"product_type": "AndroidCloud"}, "StockError.NoStock"),
    ],
)
def test_a_group_that_cannot_be_had_is_refused_and_nothing_is_made(client, order, changes, code):
    listed = models.ListAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_name="compat refused")
    order = order(app_instance_group_name="compat refused", **changes)
    assert fault(lambda: client.create_app_instance_group(order)).code == code
    assert client.list_app_instance_group(listed).body.total_count == 0


def test_an_operation_that_is_not_built(client):
    error = fault(lambda: client.approve_ota_task(models.ApproveOtaTaskRequest(task_id="ota-1")))
    assert error.code == "InvalidAction.NotFound"
    assert error.status_code == 404
