"""The operations that describe what can be had: regions, node types, images."""

from alibabacloud_appstream_center20210901 import models


def test_the_default_region_is_listed(client):
    body = client.list_regions(models.ListRegionsRequest(product_type="CloudApp")).body
    assert "cn-shanghai" in [region.region_id for region in body.region_models]


def test_the_node_types_that_always_exist_are_listed_with_their_capacity(client):
    ask = models.ListNodeInstanceTypeRequest(product_type="CloudApp", page_number=1, page_size=50)
    body = client.list_node_instance_type(ask).body
    capacity = {model.node_instance_type: model.max_capacity for model in body.node_instance_type_models}
    assert {f"appstreaming.general.{size}" for size in ("2c4g", "4c8g", "8c16g")} <= capacity.keys()
    assert body.total_count == len(capacity)
    assert all(int(most) >= 1 for most in capacity.values())


def test_a_page_of_node_types_holds_no_more_than_asked_for(client):
    ask = models.ListNodeInstanceTypeRequest(product_type="CloudApp", page_number=2, page_size=1)
    body = client.list_node_instance_type(ask).body
    assert len(body.node_instance_type_models) == 1
    assert body.total_count >= 3


def test_the_image_of_this_machine_is_listed(client):
    body = client.list_image(models.ListImageRequest(product_type="CloudApp")).body
    assert body.code == "200" and body.success is True
    (image,) = [image for image in body.data if image.image_id == "img-this-machine"]
    assert image.os_type == "Linux"
    assert image.status == "AVAILABLE"
