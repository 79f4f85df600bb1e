//! Who is let through to each operation, and what another account sees of what is not its own.

use super::{World, ram, sts};
use crate::dispatch::Origin;
use crate::ops::{ApiProduct, Entry, OPERATIONS};
use greenroom_rpc::sign::SignedRequest;
use serde_json::{Value, json};

async fn code(world: &World, request: &SignedRequest) -> String {
    let reply = world
        .server
        .api
        .call(&request.as_raw(), Origin::default())
        .await;
    if reply.status == 200 {
        return "OK".to_owned();
    }
    let answer: Value = serde_json::from_str(&reply.body).unwrap();
    answer["Code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn no_operation_answers_a_call_that_is_not_signed_rightly() {
    let world = World::new().await;
    for entry in OPERATIONS {
        let (_, answer) = world.server.unsigned(entry.action).await;
        assert_eq!(answer["Code"], "MissingAccessKeyId", "{}", entry.action);

        let mut forged = world
            .server
            .signed("acme", entry.action, &world.request(entry.action));
        for (name, value) in &mut forged.headers {
            if name == "authorization" {
                *value = value.replace("key-of-acme", "key-of-globex");
            }
        }
        assert_eq!(
            code(&world, &forged).await,
            "SignatureDoesNotMatch",
            "{}",
            entry.action
        );

        let mut stranger = world
            .server
            .signed("acme", entry.action, &world.request(entry.action));
        for (name, value) in &mut stranger.headers {
            if name == "authorization" {
                *value = value.replace("key-of-acme", "key-of-nobody");
            }
        }
        assert_eq!(
            code(&world, &stranger).await,
            "InvalidAccessKeyId.NotFound",
            "{}",
            entry.action
        );
    }
    let sessions = world.server.sessions(&world.group).await;
    assert_eq!(
        sessions[0]["AuthorizedUsers"],
        json!(["alice"]),
        "nothing was carried out"
    );
}

#[tokio::test]
async fn another_account_sees_and_changes_nothing_of_what_is_not_its_own() {
    let world = World::new().await;
    for entry in OPERATIONS {
        let ask = world.request(entry.action);
        let (status, answer) = world.server.call_as("globex", entry.action, ask).await;
        if *entry.product == ApiProduct::RAM {
            let nothing = ram::is_another_account_s(entry.action, &answer);
            assert!(nothing, "{}: {answer}", entry.action);
            continue;
        }
        if *entry.product == ApiProduct::STS {
            let nothing = sts::is_another_account_s(entry.action, &answer, &world.server);
            assert!(nothing, "{}: {answer}", entry.action);
            continue;
        }
        let seen = match entry.action {
            "CreateAppInstanceGroup" => {
                // Its own, beside the other's.
                assert_ne!(
                    answer["AppInstanceGroupModel"]["AppInstanceGroupId"],
                    json!(world.group)
                );
                continue;
            }
            "CreateBrowserInstanceGroup" => {
                assert_ne!(
                    answer["BrowserInstanceGroupModel"]["BrowserInstanceGroupId"],
                    json!(world.browsers)
                );
                continue;
            }
            "ListPublishedAppInstanceGroup" | "ListPublishedApps" => {
                assert_eq!(answer["TotalCount"], 0, "none of its own is published");
                continue;
            }
            "ListAppInstanceGroup" | "ListBrowserInstanceGroup" => {
                assert_eq!(answer["TotalCount"], 1, "only what it made itself");
                continue;
            }
            "ListSessions" => {
                assert_eq!(answer["TotalCount"], 2, "only what it made itself");
                continue;
            }
            // What is not there is named for each resource.
            "TagCloudResources" | "UntagCloudResources" => {
                let failed = answer["FailedResources"].as_array().map(Vec::len);
                assert_eq!((status, failed), (200, Some(1)));
                continue;
            }
            // The recorded code for an image that is not there.
            "DeleteImage" => {
                assert_eq!(answer["Code"], "Image.NotExist");
                continue;
            }
            // No group of its own follows it.
            "ModifyAppPolicy" => {
                assert_eq!(answer["Code"], "InvalidParameter.AppPolicyId");
                continue;
            }
            // Nothing of it is there.
            "ListAuthorizedAppInstanceGroupByUser"
            | "ListBindInfo"
            | "ListTagCloudResources"
            | "ListTagResources" => {
                assert_eq!((status, &answer["TotalCount"]), (200, &json!(0)));
                continue;
            }
            // About all accounts, and so not for this one.
            "CreateBackup" | "ForgetServer" | "GetAuditHead" | "ListAuditChain" | "ListServers" => {
                assert_eq!((status, &answer["Code"]), (403, &json!("NoPermission")));
                continue;
            }
            "ListAuditEvents" => {
                let globex = json!(world.server.account_id("globex"));
                let events = answer["Events"].as_array().unwrap();
                assert!(events.iter().all(|event| event["AccountId"] == globex));
                continue;
            }
            // The recorded code for a pool that is not there.
            "ModifyNodePoolAttribute" => {
                assert_eq!(answer["Code"], "InvalidParameter.PoolId");
                continue;
            }
            // About the account that calls.
            "ListTenantConfig" | "ModifyTenantConfig" => {
                assert_eq!(status, 200);
                continue;
            }
            // The catalogue is the same for everybody.
            "GetResourcePrice"
            | "ListImage"
            | "ListNodeInstanceType"
            | "ListRegions"
            | "ListZones" => {
                assert_eq!(status, 200);
                continue;
            }
            _ => answer["Code"].as_str().unwrap_or("OK"),
        };
        assert!(seen.ends_with(".NotFound"), "{}: {answer}", entry.action);
    }
    let sessions = world.server.sessions(&world.group).await;
    assert_eq!(sessions[0]["AuthorizedUsers"], json!(["alice"]));
}

/// Whether the operation changes something or gives something out.
pub fn changes(entry: &Entry) -> bool {
    match entry.product.name {
        // Their names tell.
        "ram" => !["Get", "List"]
            .iter()
            .any(|verb| entry.action.starts_with(verb)),
        _ => CHANGES.contains(&entry.action),
    }
}

/// The operations of the other products that change something or give something out.
const CHANGES: &[&str] = &[
    "AssumeRole",
    "AuthorizeInstanceGroup",
    "AuthorizeUsersForApp",
    "CreateAppInstanceGroup",
    "CreateBackup",
    "CreateBrowserInstanceGroup",
    "CreateImageByInstance",
    "CreateImageFromAppInstanceGroup",
    "DeleteAppInstanceGroup",
    "DeleteAppInstances",
    "DeleteImage",
    "ForgetServer",
    "GetConnectionTicket",
    "LookAtSession",
    "LogOffAllSessionsInAppInstanceGroup",
    "ModifyAppInstanceGroupAttribute",
    "ModifyAppPolicy",
    "ModifyBrowserInstanceGroup",
    "ModifyNodePoolAmount",
    "ModifyNodePoolAttribute",
    "ModifyTenantConfig",
    "RaiseSessionWindow",
    "ReadSessionLog",
    "ReadSessionWindows",
    "RenewAppInstanceGroup",
    "ResetSessions",
    "RestartSessions",
    "StartSessions",
    "StopSessions",
    "TagCloudResources",
    "TagResources",
    "TypeIntoSession",
    "Unbind",
    "UntagCloudResources",
    "UntagResources",
    "UpdateAppInstanceGroupImage",
];

#[tokio::test]
async fn a_change_is_carried_out_once_however_often_and_wherever_it_is_sent() {
    for entry in OPERATIONS {
        let world = World::of(entry.action).await;
        let (caller, ask) = (world.caller(entry.action), world.request(entry.action));
        let request = world.server.signed(caller, entry.action, &ask);
        assert_eq!(code(&world, &request).await, "OK", "{}", entry.action);
        assert_eq!(
            code(&world, &request).await,
            "SignatureNonceUsed",
            "{}",
            entry.action
        );
        // Another process has no memory of the nonce but what the database kept.
        let restarted = World {
            server: world.server.restarted(),
            ..world
        };
        let again = code(&restarted, &request).await;
        assert_eq!(again == "OK", !changes(entry), "{}: {again}", entry.action);
    }
}

/// What each operation answers to callers of each kind: a golden table, so that a change of access is seen.
#[tokio::test]
async fn every_operation_is_decided_about_for_callers_of_every_kind() {
    const CALLERS: [(&str, &[&str]); 6] = [
        ("account", &[]),
        ("nobody", &[]),
        ("read-only", &["AliyunAppStreamingReadOnlyAccess"]),
        ("full", &["AliyunAppStreamingFullAccess"]),
        ("ram-full", &["AliyunRAMFullAccess"]),
        ("assumer", &["AliyunSTSAssumeRoleAccess"]),
    ];
    let mut table = String::new();
    for entry in OPERATIONS {
        table.push_str(&format!("{}:{}\n", entry.product.ram_code, entry.action));
        for (caller, policies) in CALLERS {
            let world = World::of(entry.action).await;
            let server = match caller {
                "account" => world.server,
                user => world.server.with_user(user, policies).await,
            };
            let world = World { server, ..world };
            let name = if caller == "account" { "acme" } else { caller };
            let request = world
                .server
                .signed(name, entry.action, &world.request(entry.action));
            let answer = code(&world, &request).await;
            table.push_str(&format!("    {caller:10} {answer}\n"));
            if caller == "read-only" && changes(entry) {
                assert_eq!(answer, "NoPermission", "{} changes something", entry.action);
            }
        }
    }
    insta::assert_snapshot!(table);
}
