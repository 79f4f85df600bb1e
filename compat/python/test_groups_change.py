"""A group that is decided anew about, and whose users are sent home.

The tests of this file share one group and run in the order they are written in.
"""

import pytest
from alibabacloud_appstream_center20210901 import models
from alibabacloud_tea_openapi.exceptions import ClientException
from tickets import ticket


@pytest.fixture(scope="module")
def group(client, order):
    """The id of a group `compat change` with one session, which alice may connect to."""
    made = client.create_app_instance_group(order(app_instance_group_name="compat change")).body
    group_id = made.app_instance_group_model.app_instance_group_id
    client.authorize_instance_group(
        models.AuthorizeInstanceGroupRequest(
            product_type="CloudApp",
            app_instance_group_id=group_id,
            app_instance_persistent_id=session(client, group_id).app_instance_persistent_id,
            authorize_user_ids=["alice"],
        )
    )
    yield group_id
    client.delete_app_instance_group(
        models.DeleteAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id=group_id)
    )


def session(client, group):
    ask = models.ListPersistentAppInstancesRequest(product_type="CloudApp", app_instance_group_id=group)
    (only,) = client.list_persistent_app_instances(ask).body.persistent_app_instance_models
    return only


def shown(client, group):
    ask = models.GetAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id=group)
    return client.get_app_instance_group(ask).body.app_instance_group_models


def holders(client, group):
    ask = models.ListBindInfoRequest(app_instance_group_id_list=[group])
    return [bound.user_id for bound in client.list_bind_info(ask).body.bind_info_models]


def test_the_given_attributes_change_and_the_rest_stays(client, group):
    before = shown(client, group)
    client.modify_app_instance_group_attribute(
        models.ModifyAppInstanceGroupAttributeRequest(
            product_type="CloudApp",
            app_instance_group_id=group,
            app_instance_group_name="compat changed",
            session_timeout=30,
            security_policy=models.ModifyAppInstanceGroupAttributeRequestSecurityPolicy(reset_after_unbind=False),
            network=models.ModifyAppInstanceGroupAttributeRequestNetwork(
                domain_rules=[
                    models.ModifyAppInstanceGroupAttributeRequestNetworkDomainRules(
                        domain="www.example.com", policy="block"
                    )
                ]
            ),
        )
    )
    after = shown(client, group)
    assert (after.app_instance_group_name, after.session_timeout) == ("compat changed", "30")
    assert after.skip_user_auth_check == before.skip_user_auth_check
    assert session(client, group).app_instance_persistent_name == "compat change-1"


def test_an_attribute_out_of_bounds_is_named(client, group):
    ask = models.ModifyAppInstanceGroupAttributeRequest(
        product_type="CloudApp", app_instance_group_id=group, session_timeout=1
    )
    with pytest.raises(ClientException) as refused:
        client.modify_app_instance_group_attribute(ask)
    assert refused.value.code == "InvalidParameter.SessionTimeout"


def test_the_groups_own_policy_takes_video_settings(client, group):
    policy = shown(client, group).app_policy_id

    def modify(**video):
        ask = models.ModifyAppPolicyRequest(
            product_type="CloudApp",
            app_policy_id=policy,
            video_policy=models.ModifyAppPolicyRequestVideoPolicy(**video),
        )
        return client.modify_app_policy(ask)

    modify(frame_rate=60, streaming_mode="mix")
    with pytest.raises(ClientException) as refused:
        modify(webrtc=True)
    assert refused.value.code == "InvalidParameter.VideoPolicy"


def test_everybody_is_logged_off_and_may_come_again(client, group):
    held = session(client, group)
    ticket(client, group, held.app_instance_persistent_id, "alice")
    assert holders(client, group) == ["alice"]
    client.log_off_all_sessions_in_app_instance_group(
        models.LogOffAllSessionsInAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id=group)
    )
    assert holders(client, group) == []
    after = session(client, group)
    assert after.authorized_users == ["alice"]
    assert after.app_instance_persistent_status == "RUNNING"
