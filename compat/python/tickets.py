"""The vendor's polling protocol: a call for a ticket may answer a task, which is asked for again by its id."""

import time

from alibabacloud_appstream_center20210901 import models

LIMIT_S = 60


def ticket(client, group, session, user):
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
