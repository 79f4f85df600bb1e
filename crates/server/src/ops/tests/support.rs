//! `docs/SUPPORT.md`, which says what is built, written from the list of operations and the contract.

use crate::ops::OPERATIONS;
use greenroom_model::ProductType;
use greenroom_testkit::contract::{self, Contract};
use std::fmt::Write;

const HEAD: &str = "\
# What is supported

Written by a test from the list of operations and the recorded contract; do not edit it
(`UPDATE_DOCS=1 cargo test -p greenroom-server support` writes it again).
";

const LIMITS: &str = "\
## Taken, kept, and without an effect yet

| what | why |
|---|---|
| `Network` except `OfficeSiteId` | `sessions.network` says what all sessions reach; no rule of a group narrows it |
| `StoragePolicy` | a session's home is its own and stays; there is no shared profile |
| `RuntimePolicy` except `SessionPreOpen` and `DebugMode`, and `PerSessionPerApp` | one machine, one kind of session |
| `VideoPolicy` except the resolution, which counts from a session's next start | pictures are exact tiles over WebSocket |
| of browser groups `BrowserConfig.CookiesSync`, `RestrictedURLs` without `ALLOW_LIST`, `Policy` except `DisconnectKeepSession`, `Html5FileTransfer` and `ClipboardPolicy.Clipboard`, `AuthNotificationEnabled`, `InstanceType`, `MaxAmount` | nothing tells the gateway of them yet: no client and no viewer's clipboard is held back, no watermark drawn, nobody is written to or counted. `Clipboard` holds for pages only, of which it is kept when it is `off` |
| `CreateImageByInstance.DiskType`, `AutoCleanUserdata`, `InstanceType` | an image has what a session changed of its image, and nothing of its home |
| `AppInstanceGroupExpireRemind` | nobody is written to, so nobody is reminded |
| the tag `System/Scheduler/GRAYSCALE` | nothing is rolled out step by step |
| `UserDefinePolicy`, `AppPackageType`, `ClusterId`, `PromotionId`, `EnvironmentConfig`, `AutoRenew` | of parts of the vendor's service that are not here; prices are 0 |
| `ListRegions.BizSource`, `ListNodeInstanceType.InstanceTypeForModify` | not kept either: the vendor's own use; every node type can follow any other |

## Recorded in answers and never there

| what | why |
|---|---|
| `AppIcon` | icons are not kept |
| `AppInstanceTypeName`, `ReserveAmountRatio`, `ReserveMaxAmount`, `ReserveMinAmount` | of groups sold by session; groups here are sold by node |
| `OtaInfo.TaskId` | no update of an image runs |
| `ListAppInstances`: `NetworkInterfaceId`, `NetworkInterfaceIp` | an instance has no network interface of its own |
| `ListBindInfo`: `WyId`; `ListAuthorizedUsers`: `Email`, `Phone` | nothing is known of users but their ids |
| `ListImage`: versions, snapshots, disks, drivers, icons | an image is the programs installed on this machine, a folder that the operator names, or what a session has changed of such a folder. Parents, times and descriptions are those of the last kind |
| `CreateImageByInstance`: `TaskId`, `VersionId` | the image itself says how far it is, and has one version |
| `ListTenantConfig`: `MultiSessionSupportType`, `MultiSessionSupportedRegions` | there are no groups with shared sessions |
| prices: elements of `Promotions` and `Rules` | nothing is charged, so nothing is taken off |

## Refused

| what | fault |
|---|---|
| `BookmarksFilePath`, `RestrictedURLsFilePath` | `InvalidParameter.<Param>`: files of a store that is not here |
| `BrowserParam` with a switch that is not known to be harmless, `RestrictedURLs` that stand for no web address | `InvalidParameter.<Param>`: they could let a user out of the browser, or anybody into it |
| user groups, group sets, avatars other than `default` | `InvalidParameter.<Param>`: none exist. Filters by them find nothing |
| `GetConnectionTicket.AppPolicyId` other than the group's own | `InvalidParameter.AppPolicyId`: a connection has no policy of its own yet |
| `AssumeRole.SourceIdentity` | `InvalidParameter.SourceIdentity`: nothing records who is behind a session |
| tags of roles and policies, `AllowConsoleLogin`, `ResourceGroupId` other than the account | `InvalidParameter.<Param>`: there is no operation for such tags, no console and no resource group. Filters by tags find nothing |
| `CreateImageByInstance.InstanceId`, of a session whose image is no folder; `CopyProfile`, `TagList` | `Instance.NotFound`, `Instance.ImageUnsupported`; `InvalidParameter.<Param>`: no home is copied, and an image is tagged once it is there |
| a session with an image that was made on another server than its own | it does not start, and its reason says so: images stay on the server that made them |
| `RenewAmount`, `RenewMode`, `RenewNodes` | `InvalidParameter.<Param>`: a group is renewed as a whole |
| `ModifyAppInstanceGroupAttribute.NodePool.NodeCapacity` other than the pool's | `InvalidParameter.NodePool.NodeCapacity`: the nodes of a pool are alike, and those that are there keep their sessions |
| node types with a graphics processor | `StockError.NoStock` |
";

fn page() -> String {
    let mut text = HEAD.to_owned();
    let _ = writeln!(
        text,
        "\n## Product types\n\n| product type | groups can be made |\n|---|---|"
    );
    for product in ProductType::ALL {
        let made = match product {
            ProductType::CloudApp => "yes",
            ProductType::CloudBrowser => {
                "by `CreateBrowserInstanceGroup`, on machines with Debian's `chromium`; else `StockError.NoStock`"
            }
            ProductType::AndroidCloud => "no: `StockError.NoStock`",
        };
        let _ = writeln!(text, "| `{product}` | {made} |");
    }
    text.push_str("\n## Runtimes\n\n| runtime | sessions are |\n|---|---|\n| `local` | detached processes of this machine |\n\n");
    text.push_str(LIMITS);
    for recorded in contract::all() {
        operations(&mut text, recorded);
    }
    text
}

/// The table of one product: every recorded operation, and whether it is built.
fn operations(text: &mut String, recorded: &Contract) {
    let built = |action: &str| {
        OPERATIONS
            .iter()
            .any(|entry| entry.product.version == recorded.version && entry.action == action)
    };
    let all = recorded.operations.len();
    let done = recorded
        .operations
        .keys()
        .filter(|action| built(action))
        .count();
    let (product, version) = (&recorded.product, &recorded.version);
    let _ = writeln!(
        text,
        "\n## Operations of `{product}` {version}\n\n{done} of {all} are built.\n\n| operation | built |\n|---|---|"
    );
    for action in recorded.operations.keys() {
        let built = if built(action) { "yes" } else { "" };
        let _ = writeln!(text, "| `{action}` | {built} |");
    }
}

#[test]
fn the_support_page_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/SUPPORT.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == page(),
        "run: UPDATE_DOCS=1 cargo test -p greenroom-server support"
    );
}
