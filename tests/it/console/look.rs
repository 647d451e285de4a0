//! What there is to see: each view, by keyboard alone, on a phone, in the dark.

use super::Page;
use crate::browser::Browser;

const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const TAB: &str = "\u{e004}";

pub(super) async fn all_views(browser: &Browser, console: &Page) {
    browser.find(".card .figures").await;
    browser
        .until(
            "two cards with charts",
            "return document.querySelectorAll('.card svg').length === 8",
        )
        .await;
    for words in [
        "mailchimp",
        "webhook",
        "31 rejected",
        "4 parked",
        "1 dead",
        "live ·",
    ] {
        browser.until_says(words).await;
    }
    let address = browser.client.current_url().await.unwrap();
    assert!(!address.as_str().contains("token"), "{address}");
    browser.screen(1280, 800, "light").await;
    browser.shoot("overview-light").await;

    browser
        .client
        .goto(&console.view("vendor/mailchimp"))
        .await
        .unwrap();
    browser
        .until(
            "four charts",
            "return document.querySelectorAll('.charts.wide svg').length === 4",
        )
        .await;
    browser.shoot("vendor-light").await;

    browser
        .client
        .goto(&console.view("attention/mailchimp/rejected"))
        .await
        .unwrap();
    browser
        .until(
            "both groups",
            "return document.querySelectorAll('.group').length === 2",
        )
        .await;
    for words in [
        "expected an e-mail address, found none",
        "/email_address",
        "MEMBER_COMPLIANCE",
        "Replay 30 entities…",
        "1 to 25 of 30",
    ] {
        browser.until_says(words).await;
    }
    browser.shoot("attention-light").await;
    browser.press("Later in the list").await;
    browser.until_says("26 to 30 of 30").await;

    // A search leads to an entity at all vendors, and on to one of them.
    browser
        .find("#search-key")
        .await
        .send_keys(&format!("customer/p-1{ENTER}"))
        .await
        .unwrap();
    browser.until_says("webhook").await;
    browser.until_says("Never seen").await;
    browser
        .find("main a[href='#/entity/webhook/customer%2Fp-1']")
        .await
        .click()
        .await
        .unwrap();
    browser.until_says("found status 503").await;
    browser.until_says("event-of-p-1").await;
    browser.shoot("entity-light").await;

    refusals(browser, console).await;
}

/// Names that do not exist, and keys that are none, are explained where the answer would stand.
async fn refusals(browser: &Browser, console: &Page) {
    browser
        .client
        .goto(&console.view("vendor/mailchamp"))
        .await
        .unwrap();
    browser.until_says("No vendor of this name is deployed").await;
    browser.client.goto(&console.view("find/c-4711")).await.unwrap();
    browser
        .until(
            "the refusal",
            "return document.querySelector('.failure')?.innerText.includes('type/id')",
        )
        .await;
    browser
        .client
        .goto(&console.view("entity/mailchimp/customer%2Fnobody"))
        .await
        .unwrap();
    browser.until_says("never").await;
    // The refused key is the only complaint of the browser.
    let complaints = browser.complaints().await;
    assert!(
        complaints
            .iter()
            .all(|text| text.contains("key=c-4711") && text.contains("400")),
        "{complaints:?}"
    );
}

pub(super) async fn by_keyboard(browser: &Browser, console: &Page) {
    let focus = "const it = document.activeElement; return (it.innerText || it.id).trim()";
    browser.client.goto(&console.view("")).await.unwrap();
    browser.find(".card h2 a").await;
    browser.run("document.activeElement.blur()").await;
    browser.key("/").await;
    assert_eq!(browser.run(focus).await, "search-key");
    // From the search on by Tab: the button, then the first vendor.
    browser.key(TAB).await;
    assert_eq!(browser.run(focus).await, "Find");
    browser.key(TAB).await;
    assert_eq!(browser.run(focus).await, "mailchimp");
    let ring = "return getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(browser.run(ring).await, "solid", "where the focus is can be seen");
    browser.key(ENTER).await;
    browser.until("the vendor's heading has the focus", "return document.activeElement.tagName === 'H1' && document.activeElement.innerText === 'mailchimp'").await;
    browser.key(TAB).await;
    browser
        .until(
            "the pause button",
            "return document.activeElement.innerText === 'Pause…'",
        )
        .await;
    browser.key(ENTER).await;
    browser
        .until(
            "the dialog's first field",
            "return document.activeElement.name === 'reason'",
        )
        .await;
    // Behind the dialog nothing can be reached: five steps go round inside it.
    for _ in 0..5 {
        browser.key(TAB).await;
        let inside =
            "const it = document.activeElement; return it === document.body || it.closest('dialog') !== null";
        assert_eq!(browser.run(inside).await, true);
    }
    browser
        .run("document.querySelector('dialog input').focus()")
        .await;
    browser.key(ESCAPE).await;
    browser
        .until(
            "the focus where it was",
            "return !document.querySelector('dialog').open && document.activeElement.innerText === 'Pause…'",
        )
        .await;
    browser.run("document.getElementById('skip').focus()").await;
    browser.key(ENTER).await;
    browser
        .until("the content", "return document.activeElement.id === 'content'")
        .await;
}

pub(super) async fn on_a_phone_and_in_the_dark(browser: &Browser, console: &Page) {
    let views = [
        ("", "overview", ".card svg"),
        ("vendor/mailchimp", "vendor", ".charts.wide svg"),
        ("attention/mailchimp/rejected", "attention", ".group"),
        ("entity/webhook/customer%2Fp-1", "entity", ".facts"),
        ("find/customer%2Fp-1", "find", ".facts"),
    ];
    for (path, name, shown) in views {
        for (scheme, background) in [("light", "rgb(246, 247, 248)"), ("dark", "rgb(20, 24, 27)")] {
            browser.screen(360, 740, scheme).await;
            browser.client.goto(&console.view(path)).await.unwrap();
            browser.find(shown).await;
            let wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
            assert_eq!(browser.run(wide).await, 0, "{name} scrolls sideways");
            assert_eq!(
                browser
                    .run("return getComputedStyle(document.body).backgroundColor")
                    .await,
                background
            );
            browser.shoot(&format!("{name}-phone-{scheme}")).await;
        }
        browser.screen(1280, 800, "dark").await;
        browser.find(shown).await;
        browser.shoot(&format!("{name}-dark")).await;
    }
    browser.screen(1280, 800, "light").await;
    // The dialog, too.
    browser.screen(360, 740, "dark").await;
    browser
        .client
        .goto(&console.view("vendor/mailchimp"))
        .await
        .unwrap();
    browser.find(".charts.wide svg").await;
    browser.press("Pause…").await;
    browser.find("dialog[open]").await;
    browser.shoot("pause-phone-dark").await;
    browser.press("Cancel").await;
    browser.screen(1280, 800, "light").await;
}
