//! `GetConnectionTicket` through the dispatcher.

use crate::audit::{Visit, Way};
use crate::test_support::{TestServer, golden};
use crate::ticket::Secret;
use greenroom_model::{AppInstanceStatus, Clock, PersistentStatus, TaskStatus};
use greenroom_store::{Admitted, Digest, Observation, Redemption};
use serde_json::{Value, json};

/// A group with two sessions, of which alice has the second.
async fn world() -> (TestServer, String, Vec<String>) {
    let server = TestServer::start().await;
    let group = server.create_group_of_two().await;
    let sessions = server.session_ids(&group).await;
    server.authorize(&group, &sessions[1], "alice").await;
    (server, group, sessions)
}

fn ask(group: &str, session: &str, more: Value) -> Value {
    let mut ask = json!({"ProductType": "CloudApp", "EndUserId": "alice", "AppInstanceGroupIdList": [group],
        "AppInstancePersistentId": session});
    ask.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    ask
}

fn poll(first: &Value) -> Value {
    json!({"ProductType": "CloudApp", "EndUserId": "alice", "TaskId": first["TaskId"]})
}

#[tokio::test]
async fn polling_ends_with_a_ticket_that_is_good_once() {
    let (server, group, sessions) = world().await;
    let first = server
        .ok(
            "GetConnectionTicket",
            ask(&group, &sessions[1], json!({"AppId": "ca-foot"})),
        )
        .await;
    insta::assert_snapshot!(golden(&first));
    assert_eq!(
        server.ok("GetConnectionTicket", poll(&first)).await["TaskStatus"],
        "Running"
    );
    let task = first["TaskId"].as_str().unwrap();
    server.end_task(task, TaskStatus::Finished, "").await;
    let last = server.ok("GetConnectionTicket", poll(&first)).await;
    assert_eq!(last["TaskStatus"], "Finished");
    let again = server.ok("GetConnectionTicket", poll(&first)).await;
    assert_ne!(
        last["Ticket"], again["Ticket"],
        "each answer has a ticket of its own"
    );
    let digest = Secret::of_ticket(last["Ticket"].as_str().unwrap())
        .unwrap()
        .digest();
    let redeem = async |resume: Digest| {
        let visit = Visit {
            at: server.now(),
            address: None,
            id: String::new(),
        };
        let (now, entry) = (visit.at, move |it: &Admitted| {
            Some(visit.entry(Way::Ticket, it))
        });
        let redeemed = server.store.redeem_ticket(digest, resume, now, entry);
        redeemed.await.unwrap()
    };
    let redeemed = redeem([1; 32]).await;
    assert!(matches!(redeemed, Redemption::Admitted(who) if who.session.as_str() == sessions[1]));
    assert_eq!(redeem([2; 32]).await, Redemption::Used);
}

#[tokio::test]
async fn a_failed_task_says_so_and_has_no_ticket() {
    let (server, group, sessions) = world().await;
    let first = server
        .ok("GetConnectionTicket", ask(&group, &sessions[1], json!({})))
        .await;
    let task = first["TaskId"].as_str().unwrap();
    server
        .end_task(task, TaskStatus::Failed, "the app ended")
        .await;
    let last = server.ok("GetConnectionTicket", poll(&first)).await;
    assert_eq!(
        (&last["TaskStatus"], last.get("Ticket")),
        (&json!("Failed"), None)
    );
}

#[tokio::test]
async fn a_user_without_a_named_session_gets_the_one_granted() {
    let (server, group, sessions) = world().await;
    for ask in [
        json!({"ProductType": "CloudApp", "EndUserId": "alice"}),
        json!({"ProductType": "CloudApp", "EndUserId": "alice", "AppInstanceGroupIdList": [group]}),
    ] {
        let answer = server.ok("GetConnectionTicket", ask).await;
        assert_eq!(answer["AppInstancePersistentId"], json!(sessions[1]));
    }
}

#[tokio::test]
async fn who_is_not_authorized_is_denied_and_authorization_may_be_switched_off() {
    let (server, group, sessions) = world().await;
    let others = ask(&group, &sessions[0], json!({}));
    assert_eq!(
        server.refused("GetConnectionTicket", others).await,
        "NoPermission"
    );
    let nobodys = json!({"ProductType": "CloudApp", "EndUserId": "bob"});
    assert_eq!(
        server.refused("GetConnectionTicket", nobodys).await,
        "NoPermission"
    );
    let open = server
        .create_group(json!({"SecurityPolicy": {"SkipUserAuthCheck": true}}))
        .await;
    let session = server.session_ids(&open).await.remove(0);
    server
        .ok("GetConnectionTicket", ask(&open, &session, json!({})))
        .await;
}

#[tokio::test]
async fn what_does_not_fit_is_named() {
    let (server, group, sessions) = world().await;
    let ordinary = server.create_group(json!({"AuthMode": "App"})).await;
    for (more, code) in [
        (
            json!({"AppInstanceGroupIdList": []}),
            "MissingAppInstanceGroupIdList",
        ),
        (
            json!({"AppInstanceGroupIdList": ["aig-none"]}),
            "InvalidAppInstanceGroup.NotFound",
        ),
        (
            json!({"ProductType": "CloudBrowser"}),
            "InvalidAppInstanceGroup.NotFound",
        ),
        (
            json!({"AppInstanceGroupIdList": [ordinary]}),
            "InvalidParameter.AppInstancePersistentId",
        ),
        (
            json!({"AppInstancePersistentId": "p-none"}),
            "InvalidParameter.AppInstancePersistentId",
        ),
        (
            json!({"AppInstancePersistentId": "p-****"}),
            "InvalidParameter.AppInstancePersistentId",
        ),
        (
            json!({"AppInstanceId": "ai-none"}),
            "InvalidParameter.AppInstanceId",
        ),
        (
            json!({"AppInstanceId": "ai-none", "AppInstanceGroupIdList": [group, ordinary]}),
            "InvalidParameter.AppInstanceGroupIdList",
        ),
        (json!({"AppId": "ca-none"}), "InvalidParameter.AppId"),
        (json!({"AppVersion": "9"}), "InvalidParameter.AppVersion"),
        (
            json!({"AppPolicyId": "pg-none"}),
            "InvalidParameter.AppPolicyId",
        ),
        (
            json!({"AppPolicyId": "pg-shut"}),
            "InvalidParameter.AppPolicyId",
        ),
        (
            json!({"BizRegionId": "cn-none"}),
            "InvalidParameter.BizRegionId",
        ),
        (
            json!({"AppInstanceGroupSetId": "set-1"}),
            "InvalidParameter.AppInstanceGroupSetId",
        ),
        (json!({"AccessType": "LAN"}), "InvalidParameter.AccessType"),
        (json!({"EndUserId": "a b"}), "InvalidParameter.EndUserId"),
        (json!({"TaskId": "none"}), "InvalidParameter.TaskId"),
    ] {
        let refused = server
            .refused(
                "GetConnectionTicket",
                ask(&group, &sessions[1], more.clone()),
            )
            .await;
        assert_eq!(refused, code, "{more}");
    }
}

/// What reconcilers make of the slots of a new group that gives out no sessions: they are free.
async fn free_all(server: &TestServer) {
    let now = server.clock.now();
    let here = server.lease().await.server;
    let due = server.store.sessions_to_act_on(&here, now, 100);
    for record in due.await.unwrap() {
        let seen = Observation {
            status: PersistentStatus::Stopped,
            status_reason: String::new(),
            instance_status: AppInstanceStatus::Idle,
            asked: None,
            failures: 0,
            home_lost: false,
            handle: None,
            opened_apps: Vec::new(),
            wake_at: None,
            at: now,
            by: "server 7".into(),
        };
        server.observe(&record, seen).await;
    }
}

fn come(user: &str, group: &str, more: Value) -> Value {
    let mut ask =
        json!({"ProductType": "CloudApp", "EndUserId": user, "AppInstanceGroupIdList": [group]});
    ask.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    ask
}

#[tokio::test]
async fn whoever_was_granted_the_group_gets_a_free_session_that_is_no_persistent_one() {
    let server = TestServer::start().await;
    let group = server
        .create_group(json!({"AuthMode": "AppInstanceGroup", "Users": ["alice", "bob", "carol"],
            "NodePool": {"NodeInstanceType": "appstreaming.general.4c8g", "NodeAmount": 1, "NodeCapacity": 2}}))
        .await;
    let early = come("alice", &group, json!({}));
    assert_eq!(
        server.refused("GetConnectionTicket", early).await,
        "StockError.NoStock",
        "its slots are not ready yet"
    );
    free_all(&server).await;
    let first = server
        .ok("GetConnectionTicket", come("alice", &group, json!({})))
        .await;
    insta::assert_snapshot!(golden(&first));
    let listed = server
        .ok(
            "ListAppInstances",
            json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"}),
        )
        .await;
    let slots = listed["AppInstanceModels"].as_array().unwrap();
    let status = |slot: &Value| slot["Status"].clone();
    assert_eq!(
        slots.iter().map(status).collect::<Vec<_>>(),
        ["BOUND", "IDLE"]
    );
    assert_eq!(slots[0]["AppInstanceId"], first["AppInstanceId"]);
    assert_eq!(server.sessions(&group).await, [] as [Value; 0]);

    let again = server
        .ok("GetConnectionTicket", come("alice", &group, json!({})))
        .await;
    assert_eq!(again["AppInstanceId"], first["AppInstanceId"]);
    let taken = json!({"AppInstanceId": first["AppInstanceId"]});
    for (user, more, code) in [
        ("bob", taken, "StockError.NoStock"),
        (
            "bob",
            json!({"AppInstanceId": "ai-none"}),
            "InvalidParameter.AppInstanceId",
        ),
        ("bob", json!({"AppId": "ca-none"}), "InvalidParameter.AppId"),
        (
            "bob",
            json!({"AppPolicyId": "pg-shut"}),
            "InvalidParameter.AppPolicyId",
        ),
        ("mallory", json!({}), "NoPermission"),
    ] {
        let refused = server
            .refused("GetConnectionTicket", come(user, &group, more.clone()))
            .await;
        assert_eq!(refused, code, "{user} {more}");
    }
    server
        .ok("GetConnectionTicket", come("bob", &group, json!({})))
        .await;
    let late = come("carol", &group, json!({}));
    assert_eq!(
        server.refused("GetConnectionTicket", late).await,
        "StockError.NoStock"
    );

    let task = first["TaskId"].as_str().unwrap();
    server.end_task(task, TaskStatus::Finished, "").await;
    let last = server.ok("GetConnectionTicket", poll(&first)).await;
    assert!(last["Ticket"].is_string(), "{last}");
    let unbind =
        json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "EndUserId": "alice"});
    server.ok("Unbind", unbind).await;
    let last = server.ok("GetConnectionTicket", poll(&first)).await;
    assert_eq!(last["TaskStatus"], "Failed", "the hold on it has ended");
}

#[tokio::test]
async fn a_group_of_apps_opens_to_a_user_what_was_granted_and_nothing_else() {
    let server = TestServer::start().await;
    let group = server.create_group(json!({"AuthMode": "App"})).await;
    free_all(&server).await;
    let grant = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "AppId": "ca-mousepad",
        "AuthorizeUserIds": ["alice"]});
    server.ok("AuthorizeUsersForApp", grant).await;
    let other = come("alice", &group, json!({"AppId": "ca-foot"}));
    assert_eq!(
        server.refused("GetConnectionTicket", other).await,
        "NoPermission"
    );
    let granted = json!({"AppId": "ca-mousepad"});
    server
        .ok("GetConnectionTicket", come("alice", &group, granted))
        .await;
}

#[tokio::test]
async fn a_user_without_a_session_of_their_own_gets_one_of_another_group_that_has_any() {
    let server = TestServer::start().await;
    server.create_group_of_two().await;
    let full = server
        .create_group(json!({"AuthMode": "AppInstanceGroup", "Users": ["alice", "bob"]}))
        .await;
    server.clock.advance(std::time::Duration::from_secs(1));
    let free = server
        .create_group(json!({"AuthMode": "AppInstanceGroup", "Users": ["alice"]}))
        .await;
    free_all(&server).await;
    server
        .ok("GetConnectionTicket", come("bob", &full, json!({})))
        .await;
    let ask = json!({"ProductType": "CloudApp", "EndUserId": "alice"});
    let answer = server.ok("GetConnectionTicket", ask).await;
    assert_eq!(answer["AppInstanceGroupId"], free);
}

#[tokio::test]
async fn a_task_is_known_to_its_account_and_user_only() {
    let (server, group, sessions) = world().await;
    let first = server
        .ok("GetConnectionTicket", ask(&group, &sessions[1], json!({})))
        .await;
    let mut bobs = poll(&first);
    bobs["EndUserId"] = json!("bob");
    assert_eq!(
        server.refused("GetConnectionTicket", bobs).await,
        "InvalidParameter.TaskId"
    );
    let (status, answer) = server
        .call_as("globex", "GetConnectionTicket", poll(&first))
        .await;
    assert_eq!(
        (status, answer["Code"].as_str()),
        (400, Some("InvalidParameter.TaskId"))
    );
}

#[tokio::test]
async fn a_ticket_is_not_made_for_a_user_who_lost_the_authorization() {
    let (server, group, sessions) = world().await;
    let first = server
        .ok("GetConnectionTicket", ask(&group, &sessions[1], json!({})))
        .await;
    let task = first["TaskId"].as_str().unwrap();
    server.end_task(task, TaskStatus::Finished, "").await;
    let take = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp",
        "AppInstancePersistentId": sessions[1], "UnAuthorizeUserIds": ["alice"]});
    server.ok("AuthorizeInstanceGroup", take).await;
    assert_eq!(
        server.refused("GetConnectionTicket", poll(&first)).await,
        "NoPermission"
    );
}
