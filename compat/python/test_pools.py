"""Node pools that grow and shrink, by the administrator's calls and by the use of their sessions."""

import time
from datetime import datetime, timedelta

import pytest
from alibabacloud_appstream_center20210901 import models
from alibabacloud_tea_openapi.exceptions import ClientException
from own_server import KEY, own_server

LIMIT_S = 60


@pytest.fixture(scope="module")
def pools(client_with):
    """A client of a server with room for some nodes. A group that is paid for cannot be deleted for a week, so that
    none is made where other tests are."""
    with own_server(capacity_cpus=16, capacity_memory_mib=65536) as server:
        yield client_with(endpoint=server.endpoint, access_key_id=KEY[0], access_key_secret=KEY[1])


@pytest.fixture
def make(pools, order):
    """Makes groups whose sessions wait for their users; answers a group's id and its pool's."""

    def made(**changes):
        waits = models.CreateAppInstanceGroupRequestRuntimePolicy(session_pre_open="false")
        fields = {"app_instance_group_name": "pools", "runtime_policy": waits}
        model = pools.create_app_instance_group(order(**(fields | changes))).body.app_instance_group_model
        return model.app_instance_group_id, model.node_pool_id

    return made


def shown(client, group):
    ask = models.GetAppInstanceGroupRequest(product_type="CloudApp", app_instance_group_id=group)
    return client.get_app_instance_group(ask).body.app_instance_group_models


def sessions(client, group):
    ask = models.ListPersistentAppInstancesRequest(
        product_type="CloudApp", app_instance_group_id=group, page_size=100
    )
    return client.list_persistent_app_instances(ask).body.persistent_app_instance_models


def names(client, group):
    return [session.app_instance_persistent_name for session in sessions(client, group)]


def nodes(client, group):
    ask = models.ListNodesRequest(
        product_type="CloudApp", app_instance_group_id=group, page_number=1, page_size=100
    )
    return client.list_nodes(ask).body.node_models


def change(client, pool, capacity=None, **strategy):
    """Changes a pool; without any field of a strategy, only its capacity."""
    asked = models.ModifyNodePoolAttributeRequestNodePoolStrategy(**strategy) if strategy else None
    client.modify_node_pool_attribute(
        models.ModifyNodePoolAttributeRequest(
            product_type="CloudApp", pool_id=pool, node_capacity=capacity, node_pool_strategy=asked
        )
    )


def until(what, holds):
    deadline = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.05)


def code(call):
    with pytest.raises(ClientException) as told:
        call()
    return told.value.code


def test_a_group_grows_and_shrinks_as_it_is_told(pools, make):
    group, pool = make()
    change(pools, pool, node_amount=3, strategy_type="NODE_FIXED")
    assert names(pools, group) == ["pools-1", "pools-2", "pools-3"]
    assert len(nodes(pools, group)) == 3
    second = sessions(pools, group)[1].app_instance_persistent_id
    pools.authorize_instance_group(
        models.AuthorizeInstanceGroupRequest(
            product_type="CloudApp",
            app_instance_group_id=group,
            app_instance_persistent_id=second,
            authorize_user_ids=["alice"],
        )
    )

    change(pools, pool, node_amount=1, strategy_type="NODE_FIXED")
    until("two nodes are gone", lambda: len(nodes(pools, group)) == 1)
    statuses = {
        session.app_instance_persistent_name: session.app_instance_persistent_status
        for session in sessions(pools, group)
    }
    assert (statuses["pools-1"], statuses["pools-3"]) == ("DELETED", "DELETED")
    assert statuses["pools-2"] in ("PENDING", "STOPPED"), "it is alice's"
    assert shown(pools, group).node_pool[0].node_amount == 1


def test_instances_that_nobody_uses_are_deleted_by_their_ids_and_none_takes_their_place(pools, make, order):
    group, _ = make(node_pool=order(sessions=2).node_pool)
    of_group = {"product_type": "CloudApp", "app_instance_group_id": group}

    def delete(*instances):
        ask = models.DeleteAppInstancesRequest(**of_group, app_instance_ids=list(instances))
        answered = pools.delete_app_instances(ask).body.delete_app_instance_models
        assert [model.app_instance_id for model in answered] == list(instances)
        return [(model.success, model.code) for model in answered]

    def instances():
        ask = models.ListAppInstancesRequest(app_instance_group_id=group)
        return [model.app_instance_id for model in pools.list_app_instances(ask).body.app_instance_models]

    first, second = sessions(pools, group)
    pools.authorize_instance_group(
        models.AuthorizeInstanceGroupRequest(
            **of_group, app_instance_persistent_id=first.app_instance_persistent_id, authorize_user_ids=["alice"]
        )
    )
    assert delete(first.app_instance_id, second.app_instance_id) == [
        (False, "OperationDenied.Authorized"),
        (False, "OperationDenied.Incomplete"),
    ]
    assert delete("ai-00000000000000000") == [(False, "InvalidParameter.AppInstanceIds")]
    assert delete(second.app_instance_id) == [(True, None)]
    until("it is gone", lambda: instances() == [first.app_instance_id])
    statuses = [session.app_instance_persistent_status for session in sessions(pools, group)]
    assert statuses[1] == "DELETED"
    assert shown(pools, group).node_pool[0].node_amount == 1

    pools.authorize_instance_group(
        models.AuthorizeInstanceGroupRequest(
            **of_group,
            app_instance_persistent_id=first.app_instance_persistent_id,
            un_authorize_user_ids=["alice"],
        )
    )
    assert delete(first.app_instance_id) == [(True, None)]
    until("its node is gone with it", lambda: not nodes(pools, group))
    assert shown(pools, group).node_pool[0].node_amount == 0


def test_a_node_carries_more_sessions_as_it_is_told(pools, make, order):
    group, pool = make(node_pool=order(sessions=2).node_pool)
    change(pools, pool, capacity=1)
    change(pools, pool, capacity=2)
    assert names(pools, group)[-1] == "pools-3"
    assert len(nodes(pools, group)) == 1


def test_a_group_grows_with_its_use(pools, make):
    group, pool = make()
    change(
        pools,
        pool,
        node_amount=1,
        strategy_type="NODE_SCALING_BY_USAGE",
        max_scaling_amount=1,
        scaling_step=1,
        scaling_usage_threshold="85",
    )
    until("it is published", lambda: shown(pools, group).status == "PUBLISHED")
    session = sessions(pools, group)[0].app_instance_persistent_id
    of_group = {"product_type": "CloudApp", "app_instance_group_id": group}
    pools.authorize_instance_group(
        models.AuthorizeInstanceGroupRequest(
            **of_group, app_instance_persistent_id=session, authorize_user_ids=["alice"]
        )
    )
    pools.get_connection_ticket(
        models.GetConnectionTicketRequest(
            product_type="CloudApp",
            end_user_id="alice",
            app_id="ca-foot",
            app_instance_group_id_list=[group],
            app_instance_persistent_id=session,
        )
    )
    until("a node has come", lambda: len(nodes(pools, group)) == 2)
    assert names(pools, group) == ["pools-1", "pools-2"]
    assert shown(pools, group).node_pool[0].scaling_node_amount == 1
    pools.unbind(models.UnbindRequest(**of_group, end_user_id="alice"))
    pools.delete_app_instance_group(models.DeleteAppInstanceGroupRequest(**of_group))


def test_a_paid_group_gets_more_nodes_and_more_time_by_orders(pools, make):
    group, _ = make(charge_type="PrePaid", period_unit="Week")
    until("it is published", lambda: shown(pools, group).status == "PUBLISHED")
    more = models.ModifyNodePoolAmountRequest(
        product_type="CloudApp",
        app_instance_group_id=group,
        node_pool=models.ModifyNodePoolAmountRequestNodePool(node_amount=2),
    )
    assert pools.modify_node_pool_amount(more).body.data.order_id
    assert [node.charge_type for node in nodes(pools, group)] == ["PrePaid", "PrePaid"]
    assert code(lambda: pools.modify_node_pool_amount(more)) == "InvalidAmount.UnIncrease"

    before = datetime.fromisoformat(shown(pools, group).expired_time)
    renew = {"product_type": "CloudApp", "app_instance_group_id": group, "period": 1, "period_unit": "Week"}
    assert pools.renew_app_instance_group(models.RenewAppInstanceGroupRequest(**renew)).body.order_id
    after = datetime.fromisoformat(shown(pools, group).expired_time)
    assert after - before == timedelta(days=7)


def test_what_cannot_be_is_refused_and_changes_nothing(pools, make):
    group, pool = make()
    before = shown(pools, group).to_map()
    by_usage = {"strategy_type": "NODE_SCALING_BY_USAGE", "node_amount": 1, "scaling_step": 1}
    of_group = {"product_type": "CloudApp", "app_instance_group_id": group}
    paid = models.ModifyNodePoolAmountRequest(
        **of_group, node_pool=models.ModifyNodePoolAmountRequestNodePool(node_amount=2)
    )
    renew = models.RenewAppInstanceGroupRequest(**of_group, period=1, period_unit="Week")
    refused = [
        (lambda: change(pools, pool, node_amount=100), "StockError.NoStock"),
        (lambda: change(pools, pool, node_amount=101), "InvalidParameter.NodePoolStrategy.NodeAmount"),
        (lambda: change(pools, pool, capacity=2), "InvalidParameter.NodeCapacity"),
        (lambda: change(pools, pool, **by_usage), "MissingNodePoolStrategy.MaxScalingAmount"),
        (lambda: change(pools, "rg-00000000000000000", capacity=1), "InvalidParameter.PoolId"),
        (lambda: pools.modify_node_pool_amount(paid), "OperationDenied.ChargeType"),
        (lambda: pools.renew_app_instance_group(renew), "OperationDenied.ChargeType"),
    ]
    assert [code(call) for call, _ in refused] == [expected for _, expected in refused]
    assert names(pools, group) == ["pools-1"]
    after = shown(pools, group).to_map()
    # It may have been published meanwhile.
    for model in (before, after):
        model.pop("Status"), model.pop("ResourceStatus")
    assert after == before
