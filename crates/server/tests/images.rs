//! Images that are folders, through a whole server: sessions of one, what becomes of what they change of it, images made
//! of that, and images that are none beside it.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is a test; clippy sees only the function itself as one"
)]

mod support;

use greenroom_testkit::system;
use serde_json::json;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use support::processes::{Sweep, can_run_sessions};
use support::{GREENROOM, Server, UNTHROTTLED, doctor, wait_until};

/// Somebody who is not root, and has no other process.
const SOMEBODY: u32 = 47_115;

/// An app that changes a file of its system at each start, and keeps in its home what it is then.
const NOTE: &str = "#!/bin/sh
echo started >> /etc/image
cat /etc/image > ~/said
exec foot sleep 100000
";

const ENTRY: &str = "[Desktop Entry]\nType=Application\nName=Note\nExec=note %U\n";

/// Makes the image, and a configuration with it and with two that are none. Everything is `owner`'s.
fn prepare(folder: &Path, owner: Option<u32>) {
    let image = folder.join("image");
    system::with_terminal(&image, &["sh", "cat", "sleep"]).unwrap();
    fs::create_dir_all(image.join("usr/share/applications")).unwrap();
    fs::write(image.join("usr/share/applications/note.desktop"), ENTRY).unwrap();
    fs::write(image.join("usr/bin/note"), NOTE).unwrap();
    fs::set_permissions(image.join("usr/bin/note"), Permissions::from_mode(0o755)).unwrap();
    if let Some(owner) = owner {
        let mut give = Command::new("chown");
        give.arg("--recursive").arg(format!("{owner}:{owner}"));
        assert!(give.arg(&image).status().unwrap().success());
    }
    let shut = folder.join("shut");
    fs::create_dir(&shut).unwrap();
    fs::set_permissions(&shut, Permissions::from_mode(0o700)).unwrap();
    let config: String = [("small", "image"), ("gone", "gone"), ("shut", "shut")]
        .map(|(name, dir)| {
            let dir = folder.join(dir);
            format!(
                "[[images]]\nid = 'img-{name}'\nname = '{name}'\ndir = '{}'\n",
                dir.display()
            )
        })
        .concat();
    fs::write(folder.join("greenroom.toml"), config).unwrap();
    fs::set_permissions(folder, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_session_keeps_what_it_changes_of_its_image_until_it_is_reset_or_given_another() {
    if !can_run_sessions() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path(), None);
    let data = folder.path().join("data");
    let config = folder.path().join("greenroom.toml");
    let told = doctor(&data, &config);
    for part in [
        "layers: ok: sessions of images have overlays",
        "may change all that is root's",
        "img-gone is not offered: its folder",
        "img-shut is not offered: its folder",
    ] {
        assert!(told.contains(part), "{part} in {told}");
    }
    lives(folder.path(), |settings| {
        Server::start_with(&data, settings)
    });
}

#[test]
fn so_does_one_of_somebody_s_who_is_not_root() {
    if !can_run_sessions() || !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    prepare(folder.path(), Some(SOMEBODY));
    lives(folder.path(), |settings| {
        Server::start_as(SOMEBODY, folder.path(), settings)
    });
}

fn lives(folder: &Path, start: impl Fn(&[(&str, &str)]) -> Server) {
    let (data, config) = (folder.join("data"), folder.join("greenroom.toml"));
    let _sweep = Sweep(data.clone());
    let server = start(&[
        ("GREENROOM_CONFIG", config.to_str().unwrap()),
        UNTHROTTLED[0],
        UNTHROTTLED[1],
    ]);
    let answer = server.call("ListImage", &json!({"ProductType": "CloudApp"}));
    let images = answer["Data"].as_array().unwrap();
    let offered = |id: &str| images.iter().any(|image| image["ImageId"] == id);
    assert!(offered("img-small") && !offered("img-gone") && !offered("img-shut"));
    let logged = server.logged();
    assert!(
        logged.contains("img-gone") && logged.contains("img-shut"),
        "{logged}"
    );

    let group = server.create_group_from("img-small", 1, "ca-note");
    let comes_to = |status: &str| server.wait_for(&group, |session| session.status == status);
    let session = comes_to("RUNNING").remove(0).id;
    let files = data.join("sessions").join(&session);
    let said = files.join("home/said");
    let started = |times: usize| {
        let expected = format!("the image\n{}", "started\n".repeat(times));
        wait_until(&format!("its system was changed {times} times"), || {
            fs::read_to_string(&said).is_ok_and(|text| text == expected)
        });
    };
    let wish = |action: &str| {
        let ask = json!({"AppInstancePersistentIds": [session]});
        let (status, answer) = server.ask(GREENROOM, action, &ask).unwrap();
        assert_eq!(status, 200, "{action}: {answer}");
    };
    started(1);
    let again = |times| {
        wish("StopSessions");
        comes_to("STOPPED");
        wish("StartSessions");
        comes_to("RUNNING");
        started(times);
    };
    again(2);
    wish("ResetSessions");
    started(1);
    comes_to("RUNNING");
    again(2);

    let give = |image: &str| {
        let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp", "BizRegionId": "cn-shanghai",
            "AppCenterImageId": image});
        server.call("UpdateAppInstanceGroupImage", &ask);
    };

    // What it has changed by now is an image of its own, with which it begins where it was.
    let asked = json!({"SubInstanceId": session, "ImageName": "noted"});
    let made = server.call("CreateImageByInstance", &asked);
    let own = made["Data"]["ImageId"].as_str().unwrap().to_owned();
    let listed = || server.call("ListImage", &json!({ "ImageId": own }))["Data"].clone();
    wait_until("an image of it is made", || {
        listed()[0]["Status"] == "AVAILABLE"
    });
    assert_eq!(listed()[0]["AppList"][0]["AppId"], "ca-note");
    let owner = |path: &Path| fs::metadata(path.join("etc/image")).unwrap().uid();
    let its_folder = data.join("images").join(&own);
    assert_eq!(owner(&its_folder), owner(&folder.join("image")));
    give(&own);
    started(3);
    comes_to("RUNNING");

    // With another image its home stays, and its layer does not.
    give("img-this-machine");
    wait_until("its layer is gone", || {
        fs::read_dir(files.join("layer")).map_or(0, Iterator::count) == 0
    });
    comes_to("RUNNING");
    started(3);
    server.call("DeleteImage", &json!({ "ImageId": own }));
    wait_until("the image of it is gone", || {
        fs::read_dir(data.join("images")).map_or(0, Iterator::count) == 0
    });
    give("img-small");
    started(1);
    comes_to("RUNNING");

    let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudApp"});
    server.call("DeleteAppInstanceGroup", &ask);
    wait_until("all of it is gone", || {
        !files.exists() && !data.join("run").join(&session).exists()
    });
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(folder.to_str().unwrap()), "{mounts}");
    let image = fs::read_to_string(folder.join("image/etc/image")).unwrap();
    assert_eq!(image, "the image\n", "it is as it was");
    server.end();
}
