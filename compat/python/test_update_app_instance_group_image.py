"""`UpdateAppInstanceGroupImage`: a group that is given another image."""

import time

import pytest
from alibabacloud_appstream_center20210901 import models
from alibabacloud_tea_openapi.exceptions import ClientException


@pytest.fixture(scope="module")
def group(client, order):
    """The id of a group that is published."""
    made = client.create_app_instance_group(order(app_instance_group_name="compat image")).body
    group_id = made.app_instance_group_model.app_instance_group_id
    while shown(client, group_id).status != "PUBLISHED":
        time.sleep(0.1)
    yield group_id
    client.delete_app_instance_group(
        models.DeleteAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id=group_id)
    )


def shown(client, group):
    ask = models.GetAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id=group)
    return client.get_app_instance_group(ask).body.app_instance_group_models


def update(client, group, image):
    return client.update_app_instance_group_image(
        models.UpdateAppInstanceGroupImageRequest(
            app_center_image_id=image,
            app_instance_group_id=group,
            biz_region_id="cn-shanghai",
            product_type="CloudApp",
        )
    ).body


def test_a_group_may_be_given_an_image_that_is_there(client, group):
    assert update(client, group, "img-this-machine").request_id
    assert shown(client, group).app_center_image_id == "img-this-machine"


def test_an_image_that_is_not_there_is_refused(client, group):
    with pytest.raises(ClientException) as refused:
        update(client, group, "img-none")
    assert refused.value.code == "InvalidParameter.AppCenterImageId"
    assert shown(client, group).app_center_image_id == "img-this-machine"
