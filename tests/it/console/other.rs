//! Another site's page in the same browser, even one that has got hold of the token.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;

use super::Page;
use crate::browser::Browser;

pub(super) async fn sites_are_refused(browser: &Browser, console: &Page) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    let page = Router::new().route(
        "/",
        get(async || Html("<!doctype html><title>Another site</title><h1>Another site</h1>")),
    );
    let serving = tokio::spawn(async { axum::serve(listener, page).await });
    let (origin, token) = console.url().split_once("/#token=").unwrap();
    browser.client.goto(&site).await.unwrap();
    browser.until_says("Another site").await;

    // Each attempt answers with what the page got to see.
    let attempts = [
        ("a plain fetch", "fetch(origin + '/api/entities?key=customer/1')"),
        (
            "a fetch that shows the token",
            "fetch(origin + '/api/entities?key=customer/1', { headers: { 'x-vendorbridge-token': token } })",
        ),
        (
            "an action",
            "fetch(origin + '/api/vendors/webhook/pause', { method: 'POST', headers: { 'x-vendorbridge-token': token, 'content-type': 'application/json' }, body: '{}' })",
        ),
        (
            "an action without a preflight",
            "fetch(origin + '/api/vendors/webhook/pause', { method: 'POST', body: '{\"reason\": \"gotcha\"}' })",
        ),
        ("the page itself", "fetch(origin + '/')"),
    ];
    for (what, attempt) in attempts {
        let script = format!(
            "const [origin, token, done] = arguments; {attempt}.then((answer) => done('read ' + answer.status), (error) => done('refused'));"
        );
        let seen = browser
            .client
            .execute_async(&script, vec![json!(origin), json!(token)])
            .await
            .unwrap();
        assert_eq!(seen, "refused", "{what}");
    }
    // What a page may send without being asked first arrives, and is refused there.
    let blind = "const [origin, done] = arguments;
        fetch(origin + '/api/vendors/webhook/pause', { method: 'POST', mode: 'no-cors', body: '{}' }).then(() => done('sent'), () => done('failed'));";
    browser
        .client
        .execute_async(blind, vec![json!(origin)])
        .await
        .unwrap();
    let form = "const form = document.createElement('form');
        form.method = 'post'; form.enctype = 'text/plain'; form.action = arguments[0] + '/api/vendors/webhook/pause';
        const field = document.createElement('input'); field.name = '{\"reason\":\"'; field.value = '\"}'; form.append(field);
        document.body.append(form); form.submit();";
    browser.client.execute(form, vec![json!(origin)]).await.unwrap();
    browser.until_says("found another sender").await;

    // A frame around the console stays empty.
    browser.client.goto(&site).await.unwrap();
    browser.until_says("Another site").await;
    let frame = "const frame = document.createElement('iframe'); frame.src = arguments[0]; document.body.append(frame);";
    browser
        .client
        .execute(frame, vec![json!(console.url())])
        .await
        .unwrap();
    browser
        .until(
            "the refused frame",
            "return document.querySelector('iframe').contentDocument === null",
        )
        .await;
    browser.client.clone().enter_frame(0).await.unwrap();
    assert_eq!(
        browser.run("return document.querySelector('#live')").await,
        serde_json::Value::Null
    );
    browser.client.clone().enter_parent_frame().await.unwrap();
    let complaints = browser.complaints().await.join("\n");
    assert!(complaints.contains("frame-ancestors"), "{complaints}");
    serving.abort();
}
