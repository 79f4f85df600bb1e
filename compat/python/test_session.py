"""One persistent session from its order to its end, as an integrator's program sees it.

The tests of this file share one group and run in the order they are written in.
"""

import base64
import time

import pytest
from alibabacloud_appstream_center20210901 import models
from alibabacloud_tea_openapi.exceptions import ClientException
from tickets import ticket

LIMIT_S = 60


def until(look, what):
    """Looks again until `look` finds something; a failure says what was waited for and last seen."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        found, seen = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"{what}: not within {LIMIT_S} s; last seen: {seen}"
        time.sleep(0.1)


def sessions(client, group, **filters):
    ask = models.ListPersistentAppInstancesRequest(
        product_type="CloudApp", app_instance_group_id=group, **filters
    )
    return client.list_persistent_app_instances(ask).body


def running(client, group):
    def look():
        found = sessions(client, group).persistent_app_instance_models
        statuses = [session.app_instance_persistent_status for session in found]
        assert "UNAVAILABLE" not in statuses, statuses
        return (found if set(statuses) == {"RUNNING"} else None), statuses

    return until(look, "RUNNING")


@pytest.fixture(scope="module")
def group(client, order):
    """The id of a group whose two sessions nothing has been done to yet."""
    order = order(sessions=2, app_instance_group_name="compat sessions")
    model = client.create_app_instance_group(order).body.app_instance_group_model
    assert model.app_instance_group_id.startswith("aig-")
    return model.app_instance_group_id


def test_before_there_is_a_group_it_is_not_found(client):
    with pytest.raises(ClientException) as told:
        sessions(client, "aig-00000000000000000")
    assert told.value.code == "InvalidAppInstanceGroup.NotFound"


def test_the_sessions_of_a_new_group_are_there_at_once(client, group):
    body = sessions(client, group)
    assert body.total_count == 2
    for session in body.persistent_app_instance_models:
        assert session.app_instance_persistent_id.startswith("p-")
        assert session.app_instance_group_id == group
        assert session.app_instance_persistent_status in ("PENDING", "RUNNING")
        assert session.authorized_users == []
        assert session.gmt_create.endswith("+00:00")


def test_they_run_once_their_app_has_drawn(client, group):
    found = running(client, group)
    assert [session.app_instance_persistent_name for session in found] == [
        "compat sessions-1",
        "compat sessions-2",
    ]
    assert all(session.app_instance_id.startswith("ai-") for session in found)


def test_the_group_is_published_then(client, group):
    def look():
        ask = models.GetAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id=group)
        model = client.get_app_instance_group(ask).body.app_instance_group_models
        return (model if model.status == "PUBLISHED" else None), model.status

    model = until(look, "PUBLISHED")
    assert model.app_instance_group_name == "compat sessions"
    assert model.os_type == "Linux"


def test_the_group_is_found_by_its_name(client, group):
    ask = models.ListAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_name="compat sessions")
    body = client.list_app_instance_group(ask).body
    assert [model.app_instance_group_id for model in body.app_instance_group_models] == [group]
    assert body.total_count == 1


def test_a_page_and_a_filter_count_what_they_match(client, group):
    first, second = (one.app_instance_persistent_id for one in running(client, group))
    page = sessions(client, group, page_number=2, page_size=1)
    assert [one.app_instance_persistent_id for one in page.persistent_app_instance_models] == [second]
    assert (page.page_number, page.page_size, page.total_count) == (2, 1, 2)
    past = sessions(client, group, page_number=9, page_size=100)
    assert (past.persistent_app_instance_models, past.total_count) == ([], 2)
    chosen = sessions(client, group, app_instance_persistent_ids=[first, first, "p-00000000000000000"])
    assert chosen.total_count == 1


def authorize(client, group, session, **users):
    ask = models.AuthorizeInstanceGroupRequest(
        product_type="CloudApp", app_instance_group_id=group, app_instance_persistent_id=session, **users
    )
    client.authorize_instance_group(ask)


def test_authorized_users_are_listed_until_they_are_not(client, group):
    session = running(client, group)[0].app_instance_persistent_id
    authorize(client, group, session, authorize_user_ids=["bob", "alice"])
    (seen,) = sessions(client, group, app_instance_persistent_ids=[session]).persistent_app_instance_models
    assert seen.authorized_users == ["alice", "bob"]
    authorize(client, group, session, un_authorize_user_ids=["bob"])
    (seen,) = sessions(client, group, app_instance_persistent_ids=[session]).persistent_app_instance_models
    assert seen.authorized_users == ["alice"]


def test_an_authorized_user_gets_a_ticket(client, group):
    session = running(client, group)[0].app_instance_persistent_id
    body = ticket(client, group, session, "alice")
    assert body.app_instance_persistent_id == session
    assert body.app_instance_group_id == group
    assert body.os_type == "Linux"
    assert base64.b64decode(body.ticket).startswith(b"\r\n[Desktop]\r\n")


def test_a_user_without_authorization_gets_none(client, group):
    session = running(client, group)[0].app_instance_persistent_id
    with pytest.raises(ClientException):
        ticket(client, group, session, "mallory")


def test_after_its_deletion_the_group_is_not_found(client, group):
    ask = models.DeleteAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id=group)
    client.delete_app_instance_group(ask)

    def look():
        try:
            return None, sessions(client, group).to_map()
        except ClientException as told:
            return told, told

    told = until(look, "not found")
    assert told.code == "InvalidAppInstanceGroup.NotFound"
    listed = client.list_app_instance_group(models.ListAppInstanceGroupRequest(product_type="CloudApp")).body
    assert group not in [model.app_instance_group_id for model in listed.app_instance_group_models]
