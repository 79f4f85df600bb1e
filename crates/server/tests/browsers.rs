//! A group of browsers, from the signed call to a ticket, with a real holder and a real browser.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is a test; clippy sees only the function itself as one"
)]

mod support;

use serde_json::json;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use support::processes::{Sweep, all_installed, descendant, holder_of};
use support::{Server, wait_until};

#[test]
fn a_browser_runs_in_its_own_sandbox_and_its_user_is_let_in() {
    if !all_installed(&["bwrap", "chromium"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let _sweep = Sweep(folder.path().to_owned());
    let server = Server::start(folder.path());
    // No session has a network: the browser says so on a page of its own, which is drawn like any other.
    let homepage = "https://greenroom.invalid/";
    let answer = server.call(
        "CreateBrowserInstanceGroup",
        &json!({
            "BizRegionId": "cn-shanghai",
            "CloudBrowserName": "browsers",
            "BrowserConfig": {"Homepage": homepage, "BrowserParam": "--force-dark-mode"},
            "Users": [{"EndUserId": "alice"}],
        }),
    );
    let group = &answer["BrowserInstanceGroupModel"]["BrowserInstanceGroupId"];
    let group = group.as_str().unwrap();
    let sessions = || server.sessions_of("CloudBrowser", group);
    wait_until("the browser has drawn", || {
        sessions().iter().all(|session| session.status == "RUNNING")
    });
    let [session] = &sessions()[..] else {
        panic!("one user, one session");
    };

    let holder = holder_of(folder.path(), &session.id);
    let browser = descendant(holder, "chromium").unwrap();
    let line = std::fs::read_to_string(format!("/proc/{browser}/cmdline")).unwrap();
    // Chromium writes its arguments anew some time after its start, with spaces between them.
    let arguments: Vec<&str> = line.split_terminator(['\0', ' ']).collect();
    assert!(arguments.ends_with(&["--", homepage]), "{arguments:?}");
    assert!(arguments.contains(&"--force-dark-mode"), "{arguments:?}");
    for switch in ["--no-sandbox", "--remote-debugging"] {
        let given = arguments.iter().any(|word| word.starts_with(switch));
        assert!(!given, "{arguments:?}");
    }

    let ask = json!({"AppInstanceGroupIdList.1": group, "ProductType": "CloudBrowser", "EndUserId": "alice"});
    server.ticket(&ask);
    let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudBrowser"});
    server.call("DeleteAppInstanceGroup", &ask);
    server.end();
}

/// A site that tells which of its pages were asked for. Its first page opens two more in frames, again and again: one
/// of a host that goes by its number, and one of the same that goes by its name.
struct Site {
    port: u16,
    asked: Arc<Mutex<HashSet<String>>>,
}

impl Site {
    fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(HashSet::new()));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for link in listener.incoming() {
                let (link, seen) = (link.unwrap(), Arc::clone(&seen));
                // Browsers open connections that they do not use at once.
                std::thread::spawn(move || answer(link, port, &seen));
            }
        });
        Self { port, asked }
    }

    /// The pages asked for from now on.
    fn forget(&self) {
        self.asked.lock().unwrap().clear();
    }

    fn was_asked(&self, path: &str) -> bool {
        self.asked.lock().unwrap().contains(path)
    }
}

fn answer(mut link: TcpStream, port: u16, asked: &Mutex<HashSet<String>>) {
    let mut head = BufReader::new(link.try_clone().unwrap()).lines();
    let Some(Ok(line)) = head.next() else {
        return;
    };
    // All of it: a link that is closed with something unread is reset, with the answer on it.
    head.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
        .for_each(drop);
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let page = if path == "/" {
        first_page(port)
    } else {
        String::new()
    };
    asked.lock().unwrap().insert(path);
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncache-control: no-store\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{page}",
        page.len()
    );
    // A browser that has gone on does not wait for the answer.
    let _ = link.write_all(answer.as_bytes());
}

/// When both frames have come to something, be it the browser's own page about it, it asks for `/both`.
fn first_page(port: u16) -> String {
    format!(
        "<script>
         const pause = time => new Promise(done => setTimeout(done, time));
         async function open(address) {{
             const frame = document.createElement('iframe');
             const loaded = new Promise(done => frame.onload = done);
             frame.src = address;
             document.body.append(frame);
             await Promise.race([loaded, pause(2000)]);
             frame.remove();
         }}
         onload = async () => {{
             for (;;) {{
                 await open('http://127.0.0.1:{port}/number');
                 await open('http://localhost:{port}/name');
                 await fetch('/both').catch(() => {{}});
                 await pause(200);
             }}
         }};
         </script><body>"
    )
}

#[test]
fn what_may_be_opened_holds_from_the_start_and_changes_while_the_browser_runs() {
    if !all_installed(&["bwrap", "chromium"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let _sweep = Sweep(folder.path().to_owned());
    let server = Server::start_with(folder.path(), &[("GREENROOM_SESSIONS_NETWORK", "host")]);
    let site = Site::open();
    let number = format!("127.0.0.1:{}", site.port);
    let answer = server.call(
        "CreateBrowserInstanceGroup",
        &json!({
            "BizRegionId": "cn-shanghai",
            "CloudBrowserName": "browsers",
            "BrowserConfig": {"Homepage": format!("http://{number}/")},
            "Network": {"AccessRestriction": "ALLOW_LIST", "RestrictedURLs": [{"URL": number}]},
        }),
    );
    let group = &answer["BrowserInstanceGroupModel"]["BrowserInstanceGroupId"];
    wait_until("both frames have come to something", || {
        site.was_asked("/both")
    });
    assert!(site.was_asked("/number"));
    assert!(!site.was_asked("/name"), "it is not on the list");

    let change = |network| {
        let ask = json!({"BrowserInstanceGroupId": group, "Network": network});
        server.call("ModifyBrowserInstanceGroup", &ask);
    };
    change(json!({"AccessRestriction": "ALLOW_ALL"}));
    wait_until("the other may be opened as well", || {
        site.was_asked("/name")
    });
    change(json!({"AccessRestriction": "ALLOW_LIST"}));
    wait_until("it may not be opened again", || {
        site.forget();
        wait_until("both frames have come to something", || {
            site.was_asked("/both")
        });
        !site.was_asked("/name")
    });
    let ask = json!({"AppInstanceGroupId": group, "ProductType": "CloudBrowser"});
    server.call("DeleteAppInstanceGroup", &ask);
    server.end();
}
