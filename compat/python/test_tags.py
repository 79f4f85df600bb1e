"""Tags of delivery groups and apps, by both generations of the tag operations."""

import pytest
from alibabacloud_appstream_center20210901 import models
from alibabacloud_tea_openapi.exceptions import ClientException

TYPE = {"region_id": "cn-shanghai", "resource_type": "APPINSTANCEGROUP"}


@pytest.fixture(scope="module")
def group(client, order):
    """The id of a group without sessions."""
    order = order(app_instance_group_name="compat tags", auth_mode="App", pre_open_app_id=None, node_pool=None)
    made = client.create_app_instance_group(order).body.app_instance_group_model.app_instance_group_id
    yield made
    ask = models.DeleteAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id=made)
    client.delete_app_instance_group(ask)


def tag(client, ids, key, value):
    tags = [models.TagResourcesRequestTag(key=key, value=value)]
    client.tag_resources(models.TagResourcesRequest(resource_id=ids, tag=tags, **TYPE))


def tags(client, group):
    body = client.list_tag_resources(models.ListTagResourcesRequest(resource_id=[group], **TYPE)).body
    return {one.tag_key: one.tag_value for one in body.tag_resources}


def test_tags_of_a_group_are_set_found_and_taken(client, group):
    tag(client, [group], "team", "design")
    tag(client, [group], "team", "music")
    assert tags(client, group) == {"team": "music"}
    condition = models.ListAppInstanceGroupRequestTag(key="team", value="music")
    ask = models.ListAppInstanceGroupRequest(product_type="CloudApp", tag=[condition])
    (found,) = client.list_app_instance_group(ask).body.app_instance_group_models
    assert found.app_instance_group_id == group
    assert [(one.key, one.scope, one.value) for one in found.tags] == [("team", "Custom", "music")]
    client.untag_resources(models.UntagResourcesRequest(resource_id=[group], tag_key=["team"], **TYPE))
    assert tags(client, group) == {}


def test_a_group_that_is_not_there_fails_the_whole_call(client, group):
    with pytest.raises(ClientException) as told:
        tag(client, [group, "aig-00000000000000000"], "team", "design")
    assert told.value.code == "InvalidAppInstanceGroup.NotFound"
    assert tags(client, group) == {}


def test_the_older_operations_name_what_failed_for_each_resource(client, group):
    ids = [group, "aig-00000000000000000"]
    tagged = models.TagCloudResourcesRequest(
        resource_type="AppInstanceGroupId",
        resource_ids=ids,
        tags=[models.TagCloudResourcesRequestTags(key="floor", value="2")],
    )
    (failed,) = client.tag_cloud_resources(tagged).body.failed_resources
    assert failed.resource_id == ids[1]
    ask = models.ListTagCloudResourcesRequest(resource_type="AppInstanceGroupId", resource_ids=[group])
    (listed,) = client.list_tag_cloud_resources(ask).body.resource_tags
    assert [(one.key, one.value) for one in listed.tags] == [("floor", "2")]
    untagged = models.UntagCloudResourcesRequest(
        resource_type="AppInstanceGroupId", resource_ids=ids, tag_keys=["floor"]
    )
    (failed,) = client.untag_cloud_resources(untagged).body.failed_resources
    assert (failed.resource_id, failed.code) == (ids[1], "UNTAG_RESOURCE_FAILED")
    assert tags(client, group) == {}
