"""Groups of browsers: made, shown, listed and changed through the SDK, which shows them with its only GET."""

import time

import pytest
from alibabacloud_appstream_center20210901 import models
from alibabacloud_tea_openapi.exceptions import ClientException

LIMIT = 60


@pytest.fixture
def group(client):
    """The id of a group with one browser, gone after the test."""
    ask = models.CreateBrowserInstanceGroupRequest(
        biz_region_id="cn-shanghai",
        cloud_browser_name="compat browsers",
        charge_type="PostPaid",
        charge_resource_mode="AppInstance",
        sub_pay_type="mau",
        os_type="Windows",
        browser_config=models.CreateBrowserInstanceGroupRequestBrowserConfig(
            homepage="https://www.example.com",
            bookmarks=[
                models.CreateBrowserInstanceGroupRequestBrowserConfigBookmarks(
                    bookmark_name="docs", bookmark_url="https://docs.example.com"
                )
            ],
        ),
        tag=[models.CreateBrowserInstanceGroupRequestTag(key="team", value="design")],
        timers=[models.CreateBrowserInstanceGroupRequestTimers(timer_type="SESSION_TIMEOUT", interval=30)],
        users=[models.CreateBrowserInstanceGroupRequestUsers(end_user_id="alice")],
    )
    made = client.create_browser_instance_group(ask).body.browser_instance_group_model
    yield made.browser_instance_group_id
    client.delete_app_instance_group(
        models.DeleteAppInstanceGroupRequest(
            product_type="CloudBrowser", app_instance_group_id=made.browser_instance_group_id
        )
    )


def shown(client, group):
    ask = models.GetBrowserInstanceGroupRequest(browser_instance_group_id=group)
    return client.get_browser_instance_group(ask).body.browser_instance_group_model


def test_a_group_of_browsers_is_shown_as_it_was_asked_for(client, group):
    model = shown(client, group)
    assert model.browser_instance_group_id == group and group.startswith("big-")
    assert model.authorized_user_info.total_count == 1
    assert (model.homepage, model.os_type) == ("https://www.example.com", "Linux")
    assert [mark.bookmark_name for mark in model.browser_config.bookmarks] == ["docs"]
    assert [timer.interval for timer in model.timers] == [30]


def test_a_group_of_browsers_is_listed_with_its_tags(client, group):
    ask = models.ListBrowserInstanceGroupRequest(browser_instance_group_id=group)
    body = client.list_browser_instance_group(ask).body
    (model,) = body.browser_instance_group_models
    assert body.total_count == 1 and model.browser_instance_group_name == "compat browsers"
    assert [(tag.key, tag.value) for tag in model.tags] == [("team", "design")]


def test_only_what_is_given_changes(client, group):
    (mark,) = shown(client, group).browser_config.bookmarks
    client.modify_browser_instance_group(
        models.ModifyBrowserInstanceGroupRequest(
            browser_instance_group_id=group,
            browser_config=models.ModifyBrowserInstanceGroupRequestBrowserConfig(
                remove_bookmarks=[mark.bookmark_id]
            ),
            network=models.ModifyBrowserInstanceGroupRequestNetwork(
                access_restriction="ALLOW_LIST",
                restricted_urls=[
                    models.ModifyBrowserInstanceGroupRequestNetworkRestrictedURLs(url="example.com")
                ],
            ),
        )
    )
    model = shown(client, group)
    assert not model.browser_config.bookmarks
    assert [one.url for one in model.network.restricted_urls] == ["example.com"]
    assert (model.homepage, model.timers[0].interval) == ("https://www.example.com", 30)


def test_its_sessions_run_and_are_listed_as_browsers(client, group):
    ask = models.ListPersistentAppInstancesRequest(product_type="CloudBrowser", app_instance_group_id=group)
    deadline = time.monotonic() + LIMIT
    while True:
        (session,) = client.list_persistent_app_instances(ask).body.persistent_app_instance_models
        if session.app_instance_persistent_status == "RUNNING":
            break
        assert time.monotonic() < deadline, session.app_instance_persistent_status
        time.sleep(0.1)
    assert session.authorized_users == ["alice"]


def test_a_group_of_apps_is_no_group_of_browsers(client):
    with pytest.raises(ClientException) as refused:
        shown(client, "aig-00000000000000000")
    assert refused.value.code == "InvalidBrowserInstanceGroup.NotFound"
