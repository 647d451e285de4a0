//! The page: files in the program itself, so that it needs no other place.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// By path: the type and the text.
pub(super) const FILES: [(&str, &str, &str); 12] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/console.css", CSS, include_str!("page/console.css")),
    ("/main.js", SCRIPT, include_str!("page/main.js")),
    ("/api.js", SCRIPT, include_str!("page/api.js")),
    ("/dom.js", SCRIPT, include_str!("page/dom.js")),
    ("/words.js", SCRIPT, include_str!("page/words.js")),
    ("/charts.js", SCRIPT, include_str!("page/charts.js")),
    ("/confirm.js", SCRIPT, include_str!("page/confirm.js")),
    ("/replay.js", SCRIPT, include_str!("page/replay.js")),
    ("/vendors.js", SCRIPT, include_str!("page/vendors.js")),
    ("/entity.js", SCRIPT, include_str!("page/entity.js")),
    ("/attention.js", SCRIPT, include_str!("page/attention.js")),
];

/// A file as it is served.
pub(super) fn file(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind)], text)
}
