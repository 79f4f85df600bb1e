//! The player's files: the page at `/play` and what it loads from `/play/assets/`.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::path::Path;

/// Only files of this origin; WASM may be compiled, nothing else may be evaluated; nobody may frame the
/// page, since a framed session could be made to take clicks meant for something else.
const CSP: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; \
                   img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; \
                   frame-ancestors 'none'";

const NOT_BUILT: &str = "<!doctype html><meta charset=\"utf-8\"><title>Greenroom</title>\
    <h1>The player is not built</h1><p>Run <code>cargo xtask web</code>, or point the server at a folder \
    with the built player, then reload this page.</p>";

/// The page. It is never cached, so that it always names the files that are there.
pub(crate) async fn page(folder: &Path) -> Response {
    match tokio::fs::read(folder.join("index.html")).await {
        Ok(html) => html_page(StatusCode::OK, html),
        Err(error) => {
            tracing::warn!(folder = %folder.display(), %error, "the player's page cannot be read");
            html_page(StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT.into())
        }
    }
}

fn html_page(status: StatusCode, html: Vec<u8>) -> Response {
    let mut response = file(html, "text/html; charset=utf-8", "no-store");
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(CSP),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers.insert(
        "cross-origin-opener-policy",
        HeaderValue::from_static("same-origin"),
    );
    response
}

/// A file the page names. Its name carries a hash of its content, so it is cached for good.
pub(crate) async fn asset(folder: &Path, name: &str) -> Response {
    let Some(kind) = content_type(name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match tokio::fs::read(folder.join("assets").join(name)).await {
        Ok(bytes) => {
            let mut response = file(bytes, kind, "public, max-age=31536000, immutable");
            // A worker's script brings its own policy; without one it would run without any.
            response.headers_mut().insert(
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(CSP),
            );
            response
        }
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

fn file(bytes: Vec<u8>, kind: &'static str, cache: &'static str) -> Response {
    (
        [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, cache),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ],
        Body::from(bytes),
    )
        .into_response()
}

/// The type of a file whose name is one of ours; `None` for any other name, which is how no path leads
/// out of the folder.
fn content_type(name: &str) -> Option<&'static str> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if name.starts_with('.') || name.len() > 100 || !name.bytes().all(plain) {
        return None;
    }
    match name.rsplit_once('.')?.1 {
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "wasm" => Some("application/wasm"),
        "svg" => Some("image/svg+xml"),
        "map" | "json" => Some("application/json"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_of_known_types_are_files() {
        assert_eq!(content_type("tiles-AB12_x.wasm"), Some("application/wasm"));
        for name in [
            "..", "../x.js", "a/b.js", "a\\b.js", ".x.js", "x", "x.html", "x.exe", "x.js\0",
            "é.js", "",
        ] {
            assert_eq!(content_type(name), None, "{name:?}");
        }
    }
}
