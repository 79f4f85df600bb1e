"""Administration of sessions, by the product `greenroom`.

The tests of this file share one group and run in the order they are written in.
"""

import base64
import os
import time

import pytest
from alibabacloud_appstream_center20210901 import models
from alibabacloud_tea_openapi.exceptions import ClientException

LIMIT_S = 60


@pytest.fixture(scope="module")
def session(client, order):
    """The id of the only session of a group."""
    made = client.create_app_instance_group(order(app_instance_group_name="compat greenroom")).body
    group = made.app_instance_group_model.app_instance_group_id
    ask = models.ListPersistentAppInstancesRequest(product_type="CloudApp", app_instance_group_id=group)
    (model,) = client.list_persistent_app_instances(ask).body.persistent_app_instance_models
    yield model.app_instance_persistent_id
    ask = models.DeleteAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id=group)
    client.delete_app_instance_group(ask)


def until(greenroom, session, status):
    """Waits until nothing more is to be done for the session, and expects it to be so then."""
    deadline = time.monotonic() + LIMIT_S
    while True:
        seen = greenroom("GetSession", AppInstancePersistentId=session)["Session"]
        if seen["AppInstancePersistentStatus"] == status and "PendingAction" not in seen:
            return seen
        assert time.monotonic() < deadline, f"not {status} within {LIMIT_S} s: {seen}"
        time.sleep(0.1)


def test_a_session_is_shown_with_what_is_open_in_it(greenroom, session):
    seen = until(greenroom, session, "RUNNING")
    assert seen["OpenedApps"] == ["ca-foot"]
    assert seen["DesiredStatus"] == "RUNNING"
    listed = greenroom("ListSessions", AppInstanceGroupId=seen["AppInstanceGroupId"])
    assert [one["AppInstancePersistentId"] for one in listed["Sessions"]] == [session]


@pytest.mark.parametrize(
    ("action", "status"),
    [
        ("StopSessions", "STOPPED"),
        ("StartSessions", "RUNNING"),
        ("RestartSessions", "RUNNING"),
        ("ResetSessions", "RUNNING"),
    ],
)
def test_a_session_becomes_what_is_asked_of_it(greenroom, session, action, status):
    greenroom(action, **{"AppInstancePersistentIds.1": session})
    until(greenroom, session, status)


def test_a_running_session_is_looked_at_and_typed_into(greenroom, session):
    until(greenroom, session, "RUNNING")
    seen = greenroom("LookAtSession", AppInstancePersistentId=session)
    assert base64.b64decode(seen["Image"]).startswith(b"\x89PNG")
    (window,) = greenroom("ReadSessionWindows", AppInstancePersistentId=session)["Windows"]
    greenroom("RaiseSessionWindow", AppInstancePersistentId=session, WindowId=str(window["WindowId"]))
    greenroom("TypeIntoSession", AppInstancePersistentId=session, Text="echo hello\n")
    assert isinstance(greenroom("ReadSessionLog", AppInstancePersistentId=session)["Logs"], list)


def test_its_history_tells_of_it(greenroom, session):
    answer = greenroom("ListSessionEvents", AppInstancePersistentId=session, PageSize="100")
    events = list(reversed(answer["Events"]))
    asked = [event["Action"] for event in events if event["EventType"] == "ACTION"]
    assert asked == ["STOP", "START", "RESTART", "RESET"]
    statuses = [event["AppInstancePersistentStatus"] for event in events if event["EventType"] == "STATUS"]
    for status in ("RUNNING", "STOPPING", "STOPPED", "STARTING", "REBUILDING"):
        assert status in statuses


def test_an_unknown_session_is_not_found(greenroom):
    for action, parameters in [
        ("GetSession", {"AppInstancePersistentId": "p-00000000000000000"}),
        ("StopSessions", {"AppInstancePersistentIds.1": "p-00000000000000000"}),
    ]:
        with pytest.raises(ClientException) as told:
            greenroom(action, **parameters)
        assert told.value.code == "InvalidAppInstancePersistentId.NotFound"


def test_a_backup_is_a_file_of_the_server_where_the_database_is_one(greenroom):
    if os.environ.get("NEW_DATABASE"):
        with pytest.raises(ClientException) as told:
            greenroom("CreateBackup")
        assert (told.value.status_code, told.value.code) == (400, "OperationDenied.DatabaseType")
    else:
        made = greenroom("CreateBackup")
        assert made["FileName"].endswith(".db") and made["Size"] > 0
