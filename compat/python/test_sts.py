"""Who calls, and keys for a while, with the official SDKs of sts and ram and in both signatures."""

from datetime import datetime, timedelta, timezone

import pytest
from alibabacloud_appstream_center20210901 import models as appstream
from alibabacloud_sts20150401 import models
from alibabacloud_tea_openapi.exceptions import ClientException
from identities import a_role, allow, an_actor


@pytest.fixture(scope="module")
def account(sts):
    return sts.get_caller_identity().body.account_id


@pytest.fixture(scope="module")
def user(ram):
    """The settings of a client of a user who may assume roles."""
    with an_actor(ram, "compat-actor") as settings:
        yield settings


@pytest.fixture(scope="module")
def role(ram, account):
    """The ARN of a role that trusts whoever says the word."""
    word = {"StringEquals": {"sts:ExternalId": "sesame"}}
    with a_role(ram, "compat-role", account, Condition=word) as arn:
        yield arn


def ask(role, **changes):
    fields = {"role_arn": role, "role_session_name": "at-noon", "external_id": "sesame"}
    return models.AssumeRoleRequest(**(fields | changes))


def session(sts, role, **changes):
    """The settings of a client of whoever has assumed the role."""
    given = sts.assume_role(ask(role, **changes)).body.credentials
    return {
        "access_key_id": given.access_key_id,
        "access_key_secret": given.access_key_secret,
        "security_token": given.security_token,
    }


def refused(call):
    with pytest.raises(ClientException) as told:
        call()
    return told.value


def test_each_kind_of_caller_is_told_who_it_is(sts, sts_with, account, user, role):
    own = sts.get_caller_identity().body
    assert (own.identity_type, own.arn) == ("Account", f"acs:ram::{account}:root")
    of_user = sts_with(**user).get_caller_identity().body
    assert (of_user.identity_type, of_user.arn) == ("RAMUser", f"acs:ram::{account}:user/compat-actor")
    assumed = sts_with(**session(sts_with(**user), role)).get_caller_identity().body
    assert assumed.identity_type == "AssumedRoleUser"
    assert assumed.arn == f"acs:ram::{account}:assumed-role/compat-role/at-noon"
    assert assumed.principal_id == f"{assumed.role_id}:at-noon"


def test_credentials_say_whose_they_are_and_when_they_end(sts_with, user, role):
    before = datetime.now(timezone.utc)
    body = sts_with(**user).assume_role(ask(role, duration_seconds=900)).body
    assert body.assumed_role_user.arn == f"{role}/at-noon"
    ends = datetime.fromisoformat(body.credentials.expiration)
    assert timedelta(seconds=890) < ends - before < timedelta(seconds=960)


@pytest.mark.parametrize("algorithm", [None, "ACS3-HMAC-SM3", "v2"])
def test_a_session_does_what_its_role_may_in_every_signature(client_with, sts_with, user, role, algorithm):
    client = client_with(signature_algorithm=algorithm, **session(sts_with(**user), role))
    assert client.list_regions(appstream.ListRegionsRequest()).body.region_models
    delete = appstream.DeleteAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id="aig-1")
    error = refused(lambda: client.delete_app_instance_group(delete))
    assert (error.code, error.status_code) == ("NoPermission", 403)


def test_a_session_policy_narrows_the_role(client_with, sts_with, user, role):
    narrow = allow(Action="appstreaming:ListImage", Resource="*")
    client = client_with(**session(sts_with(**user), role, policy=narrow))
    client.list_image(appstream.ListImageRequest(product_type="CloudApp"))
    error = refused(lambda: client.list_regions(appstream.ListRegionsRequest()))
    assert error.access_denied_detail["PolicyType"] == "SessionPolicy"
    assert error.access_denied_detail["AuthPrincipalType"] == "AssumedRoleUser"


def test_a_token_belongs_to_its_key(client_with, sts_with, user, role):
    one, other = (session(sts_with(**user), role) for _ in range(2))
    for token, code in [
        (other["security_token"], "InvalidSecurityToken.MismatchWithAccessKey"),
        ("a-token", "InvalidSecurityToken.Malformed"),
        (None, "MissingSecurityToken"),
    ]:
        client = client_with(**(one | {"security_token": token}))
        assert refused(lambda: client.list_regions(appstream.ListRegionsRequest())).code == code


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"role_arn": "compat-role"}, 400, "InvalidParameter.RoleArn"),
        ({"role_session_name": "x"}, 400, "InvalidParameter.RoleSessionName"),
        ({"duration_seconds": 60}, 400, "InvalidParameter.DurationSeconds"),
        ({"duration_seconds": 43_200}, 400, "InvalidParameter.DurationSeconds"),
        ({"policy": "{}"}, 400, "InvalidParameter.PolicyGrammar"),
        ({"policy": "x" * 2_049}, 400, "InvalidParameter.PolicySize"),
        ({"external_id": "barley"}, 403, "NoPermission"),
    ],
)
def test_what_is_wrong_is_named(sts_with, user, role, changes, status, code):
    error = refused(lambda: sts_with(**user).assume_role(ask(role, **changes)))
    assert (error.status_code, error.code) == (status, code)


def test_a_role_that_is_not_there(sts_with, user, account):
    error = refused(lambda: sts_with(**user).assume_role(ask(f"acs:ram::{account}:role/nothing")))
    assert (error.status_code, error.code) == (404, "EntityNotExist.Role")


def test_an_account_itself_assumes_no_roles(sts, role):
    error = refused(lambda: sts.assume_role(ask(role)))
    assert (error.status_code, error.code) == (403, "NoPermission")
    assert "Roles may not be assumed by root accounts." in error.message
