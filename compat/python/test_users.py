"""Users of one group from their authorization to their leaving, as an integrator's program sees them.

The tests of this file share one group and run in the order they are written in.
"""

import time

import pytest
from alibabacloud_appstream_center20210901 import models
from alibabacloud_tea_openapi.exceptions import ClientException

LIMIT_S = 60


@pytest.fixture(scope="module")
def group(client):
    """The id of a group with two sessions, of which alice has both and bob the second."""
    order = models.CreateAppInstanceGroupRequest(
        product_type="CloudApp",
        app_instance_group_name="compat users",
        app_center_image_id="img-this-machine",
        biz_region_id="cn-shanghai",
        auth_mode="Session",
        charge_type="PostPaid",
        charge_resource_mode="Node",
        period=1,
        period_unit="Month",
        session_timeout=15,
        node_pool=models.CreateAppInstanceGroupRequestNodePool(
            node_instance_type="appstreaming.general.4c8g",
            strategy_type="NODE_FIXED",
            node_amount=1,
            node_capacity=2,
        ),
    )
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


def take_hold(client, group, session, user):
    """Asks for a ticket until there is one: the user holds the session from then on."""
    fields = {
        "product_type": "CloudApp",
        "end_user_id": user,
        "app_id": "ca-foot",
        "app_instance_group_id_list": [group],
        "app_instance_persistent_id": session,
    }
    deadline = time.monotonic() + LIMIT_S
    while True:
        body = client.get_connection_ticket(models.GetConnectionTicketRequest(**fields)).body
        if body.task_status == "Finished":
            return body
        assert body.task_status == "Running", body.to_map()
        assert time.monotonic() < deadline, f"no ticket within {LIMIT_S} s"
        fields["task_id"] = body.task_id
        time.sleep(0.1)


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
    held = take_hold(client, group, session, "bob").app_instance_id
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
    assert take_hold(client, group, session, "bob").app_instance_persistent_id == session


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
