"""What a group delivers and costs: its nodes, its apps, its prices."""

import pytest
from alibabacloud_appstream_center20210901 import models


@pytest.fixture
def group(client, order):
    """The id of a group with one node, gone after the test."""
    made = client.create_app_instance_group(order(app_instance_group_name="compat delivery")).body
    group_id = made.app_instance_group_model.app_instance_group_id
    yield group_id
    client.delete_app_instance_group(
        models.DeleteAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id=group_id)
    )


def test_a_region_has_a_zone_for_linux_apps(client):
    ask = models.ListZonesRequest(product_type="CloudApp", biz_region_id="cn-shanghai", os_type="Linux")
    assert client.list_zones(ask).body.list_zones_model.zones == ["cn-shanghai-a"]


def test_the_node_of_a_group_is_listed(client, group):
    ask = models.ListNodesRequest(
        product_type="CloudApp", app_instance_group_id=group, page_number=1, page_size=10
    )
    body = client.list_nodes(ask).body
    assert (body.count, body.to_page, body.per_page_size) == (1, 1, 10)
    (node,) = body.node_models
    assert node.node_id.startswith("i-") and node.charge_type == "PostPaid"


def test_the_apps_of_a_group_are_listed(client, group):
    ask = models.ListAppsByAppInstanceGroupIdRequest(
        product_type="CloudApp", app_instance_group_id=group, page_number=1, page_size=10
    )
    body = client.list_apps_by_app_instance_group_id(ask).body
    assert body.total_count == len(body.apps)
    assert "ca-foot" in [app.app_id for app in body.apps]


def test_published_apps_and_groups_agree(client):
    page = {"product_type": "CloudApp", "page_number": 1, "page_size": 100}
    apps = client.list_published_apps(models.ListPublishedAppsRequest(**page)).body
    groups = client.list_published_app_instance_group(
        models.ListPublishedAppInstanceGroupRequest(**page)
    ).body
    delivered = {
        (group.app_instance_group_id, app.app_id)
        for group in groups.app_instance_group_models
        for app in group.apps
    }
    assert {(app.app_instance_group_id, app.app_id) for app in apps.apps} == delivered
    assert apps.total_count == len(delivered)


def test_nodes_cost_nothing(client):
    ask = models.GetResourcePriceRequest(
        product_type="CloudApp",
        biz_region_id="cn-shanghai",
        node_instance_type="appstreaming.general.4c8g",
        amount=1,
        charge_type="PostPaid",
        period=1,
        period_unit="Month",
    )
    assert float(client.get_resource_price(ask).body.price_model.price.trade_price) == 0


def test_renewing_costs_nothing(client, group):
    ask = models.GetResourceRenewPriceRequest(
        product_type="CloudApp", app_instance_group_id=group, period=1, period_unit="Month"
    )
    assert float(client.get_resource_renew_price(ask).body.data.price.trade_price) == 0
