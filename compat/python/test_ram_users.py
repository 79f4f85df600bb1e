"""Users, their keys and their groups, with the official SDK of the product ram."""

import pytest
from alibabacloud_ram20150501 import models
from alibabacloud_tea_openapi.exceptions import ClientException


def refused(call, request):
    """The code of a call that must be refused."""
    with pytest.raises(ClientException) as told:
        call(request)
    return told.value.code


def test_a_user_is_made_read_changed_listed_and_deleted(ram):
    made = ram.create_user(models.CreateUserRequest(user_name="compat-zoe", display_name="Zoë")).body.user
    assert made.display_name == "Zoë"
    assert refused(ram.create_user, models.CreateUserRequest(user_name="compat-zoe")) == "EntityAlreadyExists.User"

    change = models.UpdateUserRequest(user_name="compat-zoe", new_user_name="compat-zoe.b", new_comments="paints")
    assert ram.update_user(change).body.user.user_id == made.user_id
    found = ram.get_user(models.GetUserRequest(user_name="compat-zoe.b")).body.user
    assert (found.user_id, found.comments) == (made.user_id, "paints")

    page = ram.list_users(models.ListUsersRequest(max_items=1)).body
    assert len(page.users.user) == 1
    everybody = ram.list_users(models.ListUsersRequest()).body
    assert made.user_id in [user.user_id for user in everybody.users.user]
    assert everybody.is_truncated is False

    ram.delete_user(models.DeleteUserRequest(user_name="compat-zoe.b"))
    assert refused(ram.get_user, models.GetUserRequest(user_name="compat-zoe.b")) == "EntityNotExist.User"


def test_a_key_is_made_switched_off_listed_and_deleted(ram):
    ram.create_user(models.CreateUserRequest(user_name="compat-key"))
    key = ram.create_access_key(models.CreateAccessKeyRequest(user_name="compat-key")).body.access_key
    assert key.access_key_secret and key.status == "Active"
    named = {"user_name": "compat-key", "user_access_key_id": key.access_key_id}

    ram.update_access_key(models.UpdateAccessKeyRequest(status="Inactive", **named))
    (listed,) = ram.list_access_keys(models.ListAccessKeysRequest(user_name="compat-key")).body.access_keys.access_key
    assert (listed.access_key_id, listed.status) == (key.access_key_id, "Inactive")

    user = models.DeleteUserRequest(user_name="compat-key")
    assert refused(ram.delete_user, user) == "DeleteConflict.User.AccessKey"
    ram.delete_access_key(models.DeleteAccessKeyRequest(**named))
    ram.delete_user(user)


def test_a_group_has_users_and_a_user_has_groups(ram):
    ram.create_user(models.CreateUserRequest(user_name="compat-member"))
    ram.create_group(models.CreateGroupRequest(group_name="compat-group", comments="for a test"))
    pair = {"user_name": "compat-member", "group_name": "compat-group"}
    ram.add_user_to_group(models.AddUserToGroupRequest(**pair))

    group = ram.get_group(models.GetGroupRequest(group_name="compat-group")).body.group
    assert group.comments == "for a test"
    listed = ram.list_groups(models.ListGroupsRequest()).body.groups.group
    assert group.group_id in [one.group_id for one in listed]
    users = ram.list_users_for_group(models.ListUsersForGroupRequest(group_name="compat-group")).body.users.user
    assert [user.user_name for user in users] == ["compat-member"]
    groups = ram.list_groups_for_user(models.ListGroupsForUserRequest(user_name="compat-member")).body.groups.group
    assert [one.group_name for one in groups] == ["compat-group"]

    change = models.UpdateGroupRequest(group_name="compat-group", new_group_name="compat-crew", new_comments="renamed")
    renamed = ram.update_group(change).body.group
    assert (renamed.group_id, renamed.group_name, renamed.comments) == (group.group_id, "compat-crew", "renamed")
    pair["group_name"] = "compat-crew"
    delete = models.DeleteGroupRequest(group_name="compat-crew")
    assert refused(ram.delete_group, delete) == "DeleteConflict.Group.User"
    ram.remove_user_from_group(models.RemoveUserFromGroupRequest(**pair))
    ram.delete_group(delete)
    ram.delete_user(models.DeleteUserRequest(user_name="compat-member"))


def test_a_name_with_other_characters_is_named_in_the_fault(ram):
    code = refused(ram.create_user, models.CreateUserRequest(user_name="zoë"))
    assert code == "InvalidParameter.UserName"
