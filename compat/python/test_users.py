"""Users of one group from their authorization to their leaving, as an integrator's program sees them.

The tests of this file share one group and run in the order they are written in.
"""

import pytest
from alibabacloud_appstream_center20210901 import models
from alibabacloud_tea_openapi.exceptions import ClientException
from tickets import ticket


@pytest.fixture(scope="module")
def group(client, order):
    """The id of a group with two sessions, of which alice has both and bob the second."""
    order = order(sessions=2, app_instance_group_name="compat users", pre_open_app_id=None)
    made = client.create_app_instance_group(order).body.app_instance_group_model.app_instance_group_id
    first, second = sessions(client, made)
    for session, users in ((first, ["alice"]), (second, ["alice", "bob"])):
        client.authorize_instance_group(
            models.AuthorizeInstanceGroupRequest(
                product_type="CloudApp",
                app_instance_group_id=made,
                app_instance_persistent_id=session,
                authorize_user_ids=users,
            )
        )
    yield made
    ask = models.DeleteAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id=made)
    client.delete_app_instance_group(ask)


def sessions(client, group):
    ask = models.ListPersistentAppInstancesRequest(product_type="CloudApp", app_instance_group_id=group)
    found = client.list_persistent_app_instances(ask).body.persistent_app_instance_models
    return [session.app_instance_persistent_id for session in found]


def instances(client, group, **filters):
    ask = models.ListAppInstancesRequest(app_instance_group_id=group, **filters)
    return client.list_app_instances(ask).body


def bindings(client, group, **filters):
    ask = models.ListBindInfoRequest(app_instance_group_id_list=[group], **filters)
    return client.list_bind_info(ask).body


def test_authorized_users_are_listed_with_all_of_their_sessions(client, group):
    ask = models.ListAuthorizedUsersRequest(
        product_type="CloudApp", app_instance_group_id=group, page_number=1, page_size=10
    )
    body = client.list_authorized_users(ask).body
    seen = {user.end_user_id: user.app_instance_persistent_ids for user in body.users}
    first, second = sessions(client, group)
    assert seen == {"alice": [first, second], "bob": [second]}
    assert body.total_count == 2
    assert {user.auth_mode for user in body.users} == {"Session"}


def test_whoever_holds_a_session_is_listed_with_its_instance(client, group):
    session = sessions(client, group)[1]
    held = ticket(client, group, session, "bob").app_instance_id
    (binding,) = bindings(client, group).bind_info_models
    assert (binding.user_id, binding.app_instance_id, binding.app_id) == ("bob", held, "ca-foot")
    assert bindings(client, group, user_id_list=["alice"]).total_count == 0

    body = instances(client, group)
    assert body.total_count == 2
    (instance,) = [one for one in body.app_instance_models if one.app_instance_id == held]
    assert instance.bind_info.end_user_id == "bob"
    assert instance.status == "RUNNING"
    assert instance.session_status == "disconnect"
    assert instances(client, group, user_id_list=["bob"], status=["RUNNING"]).total_count == 1


def test_deleted_instances_are_asked_for_by_their_ids_only(client, group):
    with pytest.raises(ClientException) as told:
        instances(client, group, include_deleted=True)
    assert told.value.code == "MissingAppInstanceIdList"


def test_an_unbound_user_holds_nothing_and_may_come_back(client, group):
    session = sessions(client, group)[1]
    ask = models.UnbindRequest(
        product_type="CloudApp",
        app_instance_group_id=group,
        end_user_id="bob",
        app_instance_persistent_id=session,
    )
    client.unbind(ask)
    assert bindings(client, group).total_count == 0
    assert ticket(client, group, session, "bob").app_instance_persistent_id == session


def test_a_session_of_another_group_cannot_be_unbound(client, group):
    ask = models.UnbindRequest(
        product_type="CloudApp",
        app_instance_group_id=group,
        end_user_id="bob",
        app_instance_persistent_id="p-00000000000000000",
    )
    with pytest.raises(ClientException) as told:
        client.unbind(ask)
    assert told.value.code == "InvalidParameter.AppInstancePersistentId"


def test_the_ids_of_a_groups_users_are_paged_until_a_page_is_short(client, group):
    ask = models.PageListAppInstanceGroupUserRequest(
        product_type="CloudApp", app_instance_group_id=group, page_number=1, page_size=10
    )
    assert client.page_list_app_instance_group_user(ask).body.users == ["alice", "bob"]


def test_no_group_is_granted_to_user_groups(client, group):
    ask = models.ListAuthorizedUserGroupsRequest(
        product_type="CloudApp", app_instance_group_id=group, page_number=1, page_size=10
    )
    body = client.list_authorized_user_groups(ask).body
    assert (body.user_groups, body.total_count) == ([], 0)


@pytest.fixture(scope="module")
def apps(client, order):
    """The id of a group that gives out apps, one of which bob has; carol has the group as a whole."""
    order = order(app_instance_group_name="compat apps", auth_mode="App", pre_open_app_id=None, node_pool=None)
    made = client.create_app_instance_group(order).body.app_instance_group_model.app_instance_group_id
    client.authorize_users_for_app(
        models.AuthorizeUsersForAppRequest(
            product_type="CloudApp", app_instance_group_id=made, app_id="ca-foot", authorize_user_ids=["bob"]
        )
    )
    client.authorize_instance_group(
        models.AuthorizeInstanceGroupRequest(
            product_type="CloudApp", app_instance_group_id=made, authorize_user_ids=["carol"]
        )
    )
    yield made
    ask = models.DeleteAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id=made)
    client.delete_app_instance_group(ask)


def test_a_users_single_apps_are_listed(client, apps):
    ask = models.ListAuthorizedAppsByUserRequest(
        product_type="CloudApp", end_user_id="bob", page_number=1, page_size=10
    )
    (app,) = client.list_authorized_apps_by_user(ask).body.apps
    assert (app.app_id, app.app_instance_group_id, app.authorized_user_count) == ("ca-foot", apps, 1)


def test_a_users_whole_groups_are_listed(client, apps):
    ask = models.ListAuthorizedAppInstanceGroupByUserRequest(
        product_type="CloudApp", end_user_id="carol", page_number=1, page_size=10
    )
    body = client.list_authorized_app_instance_group_by_user(ask).body
    assert [group.app_instance_group_id for group in body.app_instance_group_models] == [apps]


def test_an_account_keeps_what_it_set(client):
    for remind in (True, False):
        client.modify_tenant_config(models.ModifyTenantConfigRequest(app_instance_group_expire_remind=remind))
        kept = client.list_tenant_config().body.tenant_config_model
        assert kept.app_instance_group_expire_remind is remind
