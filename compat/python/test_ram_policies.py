"""Roles and policies with the official SDK of the product ram, and what they let a user do with App Streaming."""

import json

import pytest
from alibabacloud_appstream_center20210901 import models as appstream
from alibabacloud_ram20150501 import models
from alibabacloud_sts20150401 import models as sts_models
from alibabacloud_tea_openapi.exceptions import ClientException
from identities import a_role, allow, an_actor

USER = "compat-policies"
READ_ONLY = {"policy_type": "System", "policy_name": "AliyunAppStreamingReadOnlyAccess"}
FULL = {"policy_type": "System", "policy_name": "AliyunAppStreamingFullAccess"}


def document(effect, action, **more):
    statement = {"Effect": effect, "Action": action, "Resource": "*"} | more
    return json.dumps({"Version": "1", "Statement": [statement]})


def trust(account):
    return allow(Action="sts:AssumeRole", Principal={"RAM": [f"acs:ram::{account}:root"]})


def refused(call, request):
    """The exception of a call that must be refused."""
    with pytest.raises(ClientException) as told:
        call(request)
    return told.value


def denied(call, request):
    """Which kind of denial a call meets."""
    error = refused(call, request)
    assert (error.status_code, error.code) == (403, "NoPermission")
    return error.access_denied_detail["NoPermissionType"]


def look():
    return appstream.ListAppInstanceGroupRequest(product_type="CloudApp")


@pytest.fixture
def policy(ram):
    """Makes policies of the account's own, which go afterwards."""
    made = []

    def make(name, text):
        request = models.CreatePolicyRequest(policy_name=name, description="for a test", policy_document=text)
        made.append(name)
        return ram.create_policy(request).body.policy

    yield make
    for name in made:
        ram.delete_policy(models.DeletePolicyRequest(policy_name=name, cascading_delete=True))


@pytest.fixture
def settings(ram, policy):
    """The settings of a client of a user without policies, who goes before the policies that it was given."""
    ram.create_user(models.CreateUserRequest(user_name=USER))
    key = ram.create_access_key(models.CreateAccessKeyRequest(user_name=USER)).body.access_key
    yield {"access_key_id": key.access_key_id, "access_key_secret": key.access_key_secret}
    for held in ram.list_policies_for_user(models.ListPoliciesForUserRequest(user_name=USER)).body.policies.policy:
        named = {"policy_type": held.policy_type, "policy_name": held.policy_name}
        ram.detach_policy_from_user(models.DetachPolicyFromUserRequest(user_name=USER, **named))
    named = {"user_name": USER, "user_access_key_id": key.access_key_id}
    ram.delete_access_key(models.DeleteAccessKeyRequest(**named))
    ram.delete_user(models.DeleteUserRequest(user_name=USER))


@pytest.fixture
def theirs(client_with, settings):
    """A client of that user."""
    return client_with(**settings)


def test_a_user_who_may_only_look_lists_and_does_not_create(ram, theirs, order):
    order = order(app_instance_group_name="compat policies", auth_mode="App", pre_open_app_id=None, node_pool=None)
    assert denied(theirs.list_app_instance_group, look()) == "ImplicitDeny"

    ram.attach_policy_to_user(models.AttachPolicyToUserRequest(user_name=USER, **READ_ONLY))
    assert theirs.list_app_instance_group(look()).body.total_count >= 0
    assert denied(theirs.create_app_instance_group, order) == "ImplicitDeny"

    ram.attach_policy_to_user(models.AttachPolicyToUserRequest(user_name=USER, **FULL))
    group = theirs.create_app_instance_group(order).body.app_instance_group_model.app_instance_group_id
    named = {"product_type": "CloudApp", "app_instance_group_id": group}
    ram.detach_policy_from_user(models.DetachPolicyFromUserRequest(user_name=USER, **FULL))
    delete = appstream.DeleteAppInstanceGroupRequest(**named)
    assert denied(theirs.delete_app_instance_group, delete) == "ImplicitDeny", "from the next call on"
    ram.attach_policy_to_user(models.AttachPolicyToUserRequest(user_name=USER, **FULL))
    theirs.delete_app_instance_group(delete)


def test_a_denial_of_the_users_own_wins_over_its_groups_permission(ram, theirs, policy):
    pair = {"user_name": USER, "group_name": "compat-lookers"}
    ram.create_group(models.CreateGroupRequest(group_name="compat-lookers"))
    ram.add_user_to_group(models.AddUserToGroupRequest(**pair))
    of_group = {"group_name": "compat-lookers"} | READ_ONLY
    ram.attach_policy_to_group(models.AttachPolicyToGroupRequest(**of_group))
    assert theirs.list_app_instance_group(look()).status_code == 200
    listed = ram.list_policies_for_group(models.ListPoliciesForGroupRequest(group_name="compat-lookers"))
    assert [held.policy_name for held in listed.body.policies.policy] == [READ_ONLY["policy_name"]]

    policy("compat-blind", document("Deny", "appstreaming:List*"))
    blind = {"policy_type": "Custom", "policy_name": "compat-blind", "user_name": USER}
    ram.attach_policy_to_user(models.AttachPolicyToUserRequest(**blind))
    assert denied(theirs.list_app_instance_group, look()) == "ExplicitDeny"
    error = refused(ram.delete_policy, models.DeletePolicyRequest(policy_name="compat-blind"))
    assert error.code == "DeleteConflict.Policy.User"
    ram.detach_policy_from_user(models.DetachPolicyFromUserRequest(**blind))
    assert theirs.list_app_instance_group(look()).status_code == 200

    ram.remove_user_from_group(models.RemoveUserFromGroupRequest(**pair))
    assert denied(theirs.list_app_instance_group, look()) == "ImplicitDeny"
    group = models.DeleteGroupRequest(group_name="compat-lookers")
    assert refused(ram.delete_group, group).code == "DeleteConflict.Group.Policy"
    ram.detach_policy_from_group(models.DetachPolicyFromGroupRequest(**of_group))
    ram.delete_group(group)


def test_a_condition_asks_where_a_call_comes_from(ram, theirs, policy):
    for at, (address, allowed) in enumerate([("127.0.0.0/8", True), ("192.0.2.0/24", False)]):
        own = f"compat-from-{at}"
        condition = {"IpAddress": {"acs:SourceIp": [address]}}
        policy(own, document("Allow", "appstreaming:*", Condition=condition))
        held = {"policy_type": "Custom", "policy_name": own, "user_name": USER}
        ram.attach_policy_to_user(models.AttachPolicyToUserRequest(**held))
        if allowed:
            assert theirs.list_app_instance_group(look()).status_code == 200
        else:
            assert denied(theirs.list_app_instance_group, look()) == "ImplicitDeny"
        ram.detach_policy_from_user(models.DetachPolicyFromUserRequest(**held))


def test_a_policy_has_versions_of_which_one_is_in_force(ram, theirs, policy):
    made = policy("compat-versions", document("Allow", "appstreaming:List*"))
    assert (made.policy_type, made.default_version) == ("Custom", "v1")
    held = {"policy_type": "Custom", "policy_name": "compat-versions"}
    ram.attach_policy_to_user(models.AttachPolicyToUserRequest(user_name=USER, **held))
    assert theirs.list_app_instance_group(look()).status_code == 200

    text = document("Deny", "*")
    new = {"policy_name": "compat-versions", "policy_document": text}
    version = ram.create_policy_version(models.CreatePolicyVersionRequest(**new)).body.policy_version
    assert (version.version_id, version.is_default_version) == ("v2", False)
    assert theirs.list_app_instance_group(look()).status_code == 200, "it is not in force"
    second = {"policy_name": "compat-versions", "version_id": "v2"}
    ram.set_default_policy_version(models.SetDefaultPolicyVersionRequest(**second))
    assert denied(theirs.list_app_instance_group, look()) == "ExplicitDeny"

    found = ram.get_policy(models.GetPolicyRequest(**held)).body
    assert (found.policy.default_version, found.policy.attachment_count) == ("v2", 1)
    assert found.default_policy_version.policy_document == text
    named = models.GetPolicyVersionRequest(version_id="v2", **held)
    assert ram.get_policy_version(named).body.policy_version.policy_document == text
    error = refused(ram.delete_policy_version, models.DeletePolicyVersionRequest(**second))
    assert error.code == "DeleteConflict.Policy.Version.Default"
    first = models.DeletePolicyVersionRequest(policy_name="compat-versions", version_id="v1")
    ram.delete_policy_version(first)
    kept = ram.list_policy_versions(models.ListPolicyVersionsRequest(**held)).body.policy_versions.policy_version
    assert [version.version_id for version in kept] == ["v2"]

    for _ in range(4):
        ram.create_policy_version(models.CreatePolicyVersionRequest(**new))
    error = refused(ram.create_policy_version, models.CreatePolicyVersionRequest(**new))
    assert error.code == "LimitExceeded.Policy.Version"
    rotate = new | {"rotate_strategy": "DeleteOldestNonDefaultVersionWhenLimitExceeded"}
    ram.create_policy_version(models.CreatePolicyVersionRequest(**rotate))
    kept = ram.list_policy_versions(models.ListPolicyVersionsRequest(**held)).body.policy_versions.policy_version
    assert [version.version_id for version in kept] == ["v2", "v4", "v5", "v6", "v7"]


def test_policies_of_both_types_are_paged(ram, policy):
    policy("compat-page", document("Allow", "appstreaming:List*"))
    found, marker = [], None
    while True:
        page = ram.list_policies(models.ListPoliciesRequest(max_items=2, marker=marker)).body
        assert len(page.policies.policy) <= 2
        found += [(one.policy_type, one.policy_name) for one in page.policies.policy]
        if not page.is_truncated:
            break
        marker = page.marker
    assert len(found) == len(set(found))
    assert {("Custom", "compat-page"), ("System", "AliyunAppStreamingFullAccess")} <= set(found)
    custom = ram.list_policies(models.ListPoliciesRequest(policy_type="Custom")).body.policies.policy
    assert "compat-page" in [one.policy_name for one in custom]
    assert {one.policy_type for one in custom} == {"Custom"}


def test_a_role_is_made_read_changed_listed_and_deleted(ram):
    text = trust("1234567890123456")
    new = {"role_name": "compat-made-role", "description": "for a test", "assume_role_policy_document": text}
    made = ram.create_role(models.CreateRoleRequest(**new)).body.role
    assert made.arn.endswith(":role/compat-made-role")
    assert made.max_session_duration == 3600
    assert refused(ram.create_role, models.CreateRoleRequest(**new)).code == "EntityAlreadyExists.Role"

    change = {"new_max_session_duration": 7200, "new_assume_role_policy_document": trust("6543210987654321")}
    ram.update_role(models.UpdateRoleRequest(role_name="compat-made-role", **change))
    found = ram.get_role(models.GetRoleRequest(role_name="compat-made-role")).body.role
    assert (found.role_id, found.max_session_duration, found.description) == (made.role_id, 7200, "for a test")
    assert found.assume_role_policy_document == change["new_assume_role_policy_document"]
    listed = ram.list_roles(models.ListRolesRequest()).body.roles.role
    assert made.role_id in [role.role_id for role in listed]

    of_role = {"role_name": "compat-made-role"} | READ_ONLY
    ram.attach_policy_to_role(models.AttachPolicyToRoleRequest(**of_role))
    held = ram.list_policies_for_role(models.ListPoliciesForRoleRequest(role_name="compat-made-role"))
    assert [one.policy_name for one in held.body.policies.policy] == [READ_ONLY["policy_name"]]
    entities = ram.list_entities_for_policy(models.ListEntitiesForPolicyRequest(**READ_ONLY)).body
    assert made.role_id in [role.role_id for role in entities.roles.role]
    delete = models.DeleteRoleRequest(role_name="compat-made-role")
    assert refused(ram.delete_role, delete).code == "DeleteConflict.Role.Policy"
    ram.detach_policy_from_role(models.DetachPolicyFromRoleRequest(**of_role))
    ram.delete_role(delete)
    gone = refused(ram.get_role, models.GetRoleRequest(role_name="compat-made-role"))
    assert (gone.status_code, gone.code) == (404, "EntityNotExist.Role")


def test_whoever_has_assumed_a_role_gains_and_loses_with_it(ram, sts, sts_with, client_with, policy):
    account = sts.get_caller_identity().body.account_id
    policy("compat-blind-role", document("Deny", "appstreaming:List*"))
    blind = {"policy_type": "Custom", "policy_name": "compat-blind-role", "role_name": "compat-looker"}
    with an_actor(ram, "compat-looks") as actor, a_role(ram, "compat-looker", account) as arn:
        ask = sts_models.AssumeRoleRequest(role_arn=arn, role_session_name="at-noon")
        given = sts_with(**actor).assume_role(ask).body.credentials
        theirs = client_with(
            access_key_id=given.access_key_id,
            access_key_secret=given.access_key_secret,
            security_token=given.security_token,
        )
        assert theirs.list_app_instance_group(look()).status_code == 200
        delete = appstream.DeleteAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id="aig-1")
        assert denied(theirs.delete_app_instance_group, delete) == "ImplicitDeny"
        ram.attach_policy_to_role(models.AttachPolicyToRoleRequest(**blind))
        assert denied(theirs.list_app_instance_group, look()) == "ExplicitDeny"
        ram.detach_policy_from_role(models.DetachPolicyFromRoleRequest(**blind))
        assert theirs.list_app_instance_group(look()).status_code == 200


def test_a_user_looks_after_some_users_and_no_others(ram, settings, policy, ram_with):
    policy("compat-keeper", document("Allow", "ram:*", Resource="acs:ram:*:*:user/compat-dev-*"))
    keeper = {"policy_type": "Custom", "policy_name": "compat-keeper", "user_name": USER}
    ram.attach_policy_to_user(models.AttachPolicyToUserRequest(**keeper))
    theirs = ram_with(**settings)
    theirs.create_user(models.CreateUserRequest(user_name="compat-dev-1"))
    assert denied(theirs.create_user, models.CreateUserRequest(user_name="compat-boss")) == "ImplicitDeny"
    assert denied(theirs.get_user, models.GetUserRequest(user_name=USER)) == "ImplicitDeny"
    give = models.AttachPolicyToUserRequest(user_name="compat-dev-1", **FULL)
    assert denied(theirs.attach_policy_to_user, give) == "ImplicitDeny", "the policy is nothing it looks after"
    theirs.delete_user(models.DeleteUserRequest(user_name="compat-dev-1"))


@pytest.mark.parametrize(
    "text",
    [
        "not JSON",
        "{}",
        document("Maybe", "*"),
        document("Allow", "ListRegions"),
        document("Allow", "*", Condition={"Magic": {"k": "v"}}),
        document("Allow", "*", Principal={"RAM": "acs:ram::1:root"}),
        "🎭",
        "[" * 5_000,
    ],
)
def test_what_is_no_policy_is_refused_with_the_reason(ram, text):
    error = refused(ram.create_policy, models.CreatePolicyRequest(policy_name="compat-bad", policy_document=text))
    assert (error.status_code, error.code) == (400, "MalformedPolicyDocument")
    assert "line 1 column" in error.message or "not a policy" in error.message


def test_a_policy_with_a_nul_is_refused_like_any_text_with_one(ram):
    error = refused(ram.create_policy, models.CreatePolicyRequest(policy_name="compat-bad", policy_document="\0"))
    assert (error.status_code, error.code) == (400, "InvalidParameter.PolicyDocument")
    assert "The parameter PolicyDocument is invalid." in error.message


def test_a_policy_that_is_too_long_is_named_in_the_fault(ram):
    text = document("Allow", "*") + " " * 7_000
    error = refused(ram.create_policy, models.CreatePolicyRequest(policy_name="compat-bad", policy_document=text))
    assert error.code == "InvalidParameter.PolicyDocument"
