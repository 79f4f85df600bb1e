"""What the server records of changes and refusals, by the product `greenroom`."""

import pytest
from alibabacloud_appstream_center20210901 import models as appstream
from alibabacloud_ram20150501 import models
from alibabacloud_tea_openapi.exceptions import ClientException

START = "0" * 64


def test_a_change_and_a_refusal_are_recorded_with_who_and_what(client, ram, greenroom):
    made = ram.create_user(models.CreateUserRequest(user_name="compat-audited")).body.request_id
    ram.delete_user(models.DeleteUserRequest(user_name="compat-audited"))
    group = {"product_type": "CloudApp", "app_instance_group_id": "aig-00000000000000000"}
    with pytest.raises(ClientException) as told:
        client.delete_app_instance_group(appstream.DeleteAppInstanceGroupRequest(**group))
    for name, request, outcome, product in [
        ("CreateUser", made, "OK", "ram"),
        ("DeleteAppInstanceGroup", told.value.request_id, told.value.code, "appstream-center"),
    ]:
        events = greenroom("ListAuditEvents", EventName=name, Outcome=outcome)["Events"]
        (event,) = [event for event in events if event["EventRequestId"] == request]
        assert (event["Outcome"], event["ProductCode"]) == (outcome, product)
        assert (event["PrincipalType"], event["Address"]) == ("Account", "127.0.0.1")


def test_every_row_names_the_one_before_it_up_to_the_head(greenroom):
    heads = greenroom("GetAuditHead")["Heads"]
    assert heads
    for head in heads:
        last, sequence = START, 0
        while sequence < head["Sequence"]:
            rows = greenroom("ListAuditChain", Writer=head["Writer"], AfterSequence=str(sequence))["Events"]
            assert rows, f"the chain ends at {sequence}, before its head"
            for row in rows:
                assert (row["Sequence"], row["PreviousHash"]) == (sequence + 1, last)
                last, sequence = row["Hash"], row["Sequence"]
                if sequence == head["Sequence"]:
                    assert last == head["Hash"]
