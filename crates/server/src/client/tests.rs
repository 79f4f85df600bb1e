//! The client against the real dispatcher over real connections, and against servers that are none.

use super::*;
use crate::data_dir::DataDir;
use crate::listen;
use crate::system::KernelEntropy;
use crate::test_support::TestServer;
use crate::tls::{OWN_CERTIFICATE, Tls};
use crate::{config, http};
use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::any;
use greenroom_testkit::TestClock;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::net::TcpListener;

/// No file is read for a connection that is not encrypted.
fn nowhere() -> Trust<'static> {
    Trust::Only(Path::new("/nowhere"))
}

/// Answers until the test ends, and says where.
async fn serving(routes: Router, tls: Option<Arc<Tls>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(listen::until(listener, routes, tls, std::future::pending()));
    address.to_string()
}

/// A client with a key in a file, beside which the name of that file.
fn client(endpoint: &str, id: &str, secret: &str, trust: Trust<'_>) -> Result<Client, ClientError> {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("key.json");
    let key = serde_json::json!({"AccessKeyId": id, "AccessKeySecret": secret});
    std::fs::write(&file, key.to_string()).unwrap();
    Client::new(
        Endpoint::parse(endpoint)?,
        Key::find(Some(&file), |_| None, home.path())?,
        trust,
        Arc::new(TestClock::default()),
        Arc::new(KernelEntropy),
    )
}

async fn list_regions(client: &Client) -> Result<Value, ClientError> {
    let product = ApiProduct::APP_STREAM_CENTER;
    let parameters = [("ProductType", "CloudApp")];
    client.call(product, "ListRegions", &parameters).await
}

#[tokio::test]
async fn a_signed_call_is_answered() {
    let routes = http::router(TestServer::start().await.into_site());
    let endpoint = serving(routes, None).await;
    let client = client(&endpoint, "key-of-acme", "secret-of-acme", nowhere()).unwrap();
    for _ in 0..2 {
        let answer = list_regions(&client).await.unwrap();
        assert_eq!(answer["RegionModels"][0]["regionId"], "cn-shanghai");
    }
}

#[tokio::test]
async fn a_refusal_says_what_to_do_and_no_secret() {
    let routes = http::router(TestServer::start().await.into_site());
    let endpoint = serving(routes, None).await;
    for (id, secret, expected) in [
        (
            "key-of-nobody",
            "hidden",
            "the server knows no access key key-of-nobody (from ",
        ),
        (
            "key-of-acme",
            "hidden",
            "the server knows another secret of access key key-of-acme",
        ),
    ] {
        let client = client(&endpoint, id, secret, nowhere()).unwrap();
        let error = list_regions(&client).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
        assert!(!error.contains("hidden"), "{error}");
    }
    let client = client(&endpoint, "key-of-acme", "secret-of-acme", nowhere()).unwrap();
    let refused = async |action| {
        let parameters = [("AppInstancePersistentId", "p-none")];
        let answer = client
            .call(ApiProduct::GREENROOM, action, &parameters)
            .await;
        answer.unwrap_err().to_string()
    };
    let error = refused("GetSession").await;
    assert!(
        error.contains("GetSession was refused")
            && error.contains("InvalidAppInstancePersistentId.NotFound, request "),
        "{error}"
    );
    let error = refused("OfTomorrow").await;
    assert!(error.contains("older than this program"), "{error}");
}

#[tokio::test]
async fn a_call_too_many_is_made_again_after_the_pause_that_the_server_names() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let answer = move || {
        let first = counted.fetch_add(1, Ordering::Relaxed) == 0;
        async move {
            let fault = r#"{"Code":"Throttling.User","Message":"m","RequestId":"r"}"#;
            match first {
                true => {
                    (StatusCode::BAD_REQUEST, [("x-acs-retry-after", "5")], fault).into_response()
                }
                false => "{}".into_response(),
            }
        }
    };
    let endpoint = serving(Router::new().route("/", any(answer)), None).await;
    let client = client(&endpoint, "key", "secret", nowhere()).unwrap();
    list_regions(&client).await.unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn what_is_no_server_of_ours_is_called_so() {
    let page = Router::new().route("/", any(|| async { "<html>" }));
    let large = Router::new().route("/", any(|| async { vec![b' '; MAX_ANSWER + 1] }));
    let fault = (StatusCode::NOT_FOUND, r#"{"error":"not found"}"#);
    let other = Router::new().route("/", any(move || async move { fault }));
    for (routes, expected) in [
        (page, "is no greenroom server"),
        (other, "is no greenroom server"),
        (large, "broke off"),
    ] {
        let endpoint = serving(routes, None).await;
        let client = client(&endpoint, "key", "secret", nowhere()).unwrap();
        let error = list_regions(&client).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = closed.local_addr().unwrap().to_string();
    drop(closed);
    let client = client(&endpoint, "key", "secret", nowhere()).unwrap();
    let error = list_regions(&client).await.unwrap_err().to_string();
    assert!(error.contains("`greenroom serve` starts one"), "{error}");
}

/// TLS with a certificate of the server's own, and where that is.
fn self_signed(home: &Path) -> (Arc<Tls>, PathBuf) {
    let data = DataDir::open(home).unwrap();
    let config = config::Tls {
        self_signed: true,
        ..config::Tls::default()
    };
    let tls = Tls::from_config(&config, vec!["127.0.0.1".into()], &data);
    (Arc::new(tls.unwrap().unwrap()), home.join(OWN_CERTIFICATE))
}

#[tokio::test]
async fn the_certificate_of_the_data_folder_is_trusted_and_no_stranger_s() {
    let (home, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (tls, own) = self_signed(home.path());
    let (_, stranger) = self_signed(other.path());
    let routes = http::router(TestServer::start().await.into_site());
    let endpoint = format!("https://{}", serving(routes, Some(tls)).await);
    for trust in [Trust::Only(&own), Trust::SystemAnd(&own)] {
        let client = client(&endpoint, "key-of-acme", "secret-of-acme", trust).unwrap();
        list_regions(&client).await.unwrap();
    }
    for trust in [
        Trust::Only(&stranger),
        Trust::SystemAnd(&stranger),
        Trust::SystemAnd(Path::new("/nowhere")),
    ] {
        let client = client(&endpoint, "key-of-acme", "secret-of-acme", trust).unwrap();
        let error = list_regions(&client).await.unwrap_err().to_string();
        assert!(error.contains("--ca-file names"), "{error}");
    }
    let unreadable = client(&endpoint, "key", "secret", nowhere()).err().unwrap();
    assert!(unreadable.to_string().contains("/nowhere"), "{unreadable}");
}
