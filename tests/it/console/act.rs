//! What can be done: each action with its confirmation, and its effect.

use std::time::Duration;

use vendorbridge::EntityKey;
use vendorbridge::ledger::Status;
use vendorbridge_testkit::cloud::{CloudError, World, until};

use super::Page;
use crate::browser::Browser;

pub(super) async fn all_actions(browser: &Browser, console: &Page, world: &World) {
    pause_and_resume(browser, console, world).await;
    replay(browser, console, world).await;
}

async fn pause_and_resume(browser: &Browser, console: &Page, world: &World) {
    let ledger = world.ledger();
    let paused = async || {
        ledger
            .vendor("webhook")
            .await
            .unwrap()
            .and_then(|record| record.pause)
    };
    browser
        .client
        .goto(&console.view("vendor/webhook"))
        .await
        .unwrap();
    browser.find(".charts.wide svg").await;
    browser.press("Pause…").await;
    browser.until_says("webhook is called no more").await;
    assert_eq!(paused().await, None, "nothing happens before it is confirmed");
    browser.press("Cancel").await;
    assert_eq!(paused().await, None);
    browser.press("Pause…").await;
    browser
        .find("dialog input[name=reason]")
        .await
        .send_keys("their \"release\" <b>tonight</b>")
        .await
        .unwrap();
    browser
        .find("dialog select")
        .await
        .send_keys("by itself, in 4")
        .await
        .unwrap();
    browser.shoot("pause-light").await;
    browser.press("Pause webhook").await;
    browser.until_says("webhook is paused.").await;
    let pause = paused().await.expect("a pause in the ledger");
    assert_eq!(pause.reason.as_deref(), Some("their \"release\" <b>tonight</b>"));
    let hours = pause.until.unwrap().duration_since(pause.since).as_mins();
    assert!((238..=241).contains(&hours), "{hours} minutes");
    browser
        .until(
            "the badge, by itself",
            "return document.querySelector('.badge').innerText === 'Paused'",
        )
        .await;
    browser.until_says("their \"release\" <b>tonight</b>").await;
    browser.press("Resume…").await;
    browser.until_says("4 entities that wait are sent").await;
    browser.press("Resume webhook").await;
    browser.until_says("webhook goes on.").await;
    assert_eq!(paused().await, None);
    browser
        .until(
            "the badge, by itself",
            "return document.querySelector('.badge').innerText === 'Running'",
        )
        .await;
}

/// Thirty customers were rejected that the source does not have: asked for again, they are gone, and the vendor is told so.
async fn replay(browser: &Browser, console: &Page, world: &World) {
    let ledger = world.ledger();
    browser
        .client
        .goto(&console.view("entity/mailchimp/customer%2Fr-90"))
        .await
        .unwrap();
    browser.press("Replay…").await;
    browser.until_says("Nothing goes to other vendors").await;
    browser.press("Replay it").await;
    browser.until_says("1 entity").await;
    let status = async |id: &str| {
        let key = EntityKey::new("customer", id).unwrap();
        let record = ledger.entity("mailchimp", &key).await?;
        Ok::<_, CloudError>(record.map(|record| record.status))
    };
    until("the entity's new outcome", Duration::from_mins(1), async || {
        Ok((status("r-90").await? == Some(Status::Deleted)).then_some(()))
    })
    .await
    .unwrap();

    browser
        .client
        .goto(&console.view("attention/mailchimp/rejected"))
        .await
        .unwrap();
    browser.press("Replay 30 entities…").await;
    browser.until_says("and 25 more").await;
    browser.shoot("replay-light").await;
    browser.press("Replay 30 entities").await;
    browser.until_says("30 entities").await;
    until("the group's new outcomes", Duration::from_mins(1), async || {
        for id in 0..30 {
            if status(&format!("r-{id:02}")).await? != Some(Status::Deleted) {
                return Ok(None);
            }
        }
        Ok(Some(()))
    })
    .await
    .unwrap();
    let elsewhere = ledger
        .entity("webhook", &EntityKey::new("customer", "r-90").unwrap())
        .await
        .unwrap();
    assert_eq!(elsewhere, None, "the other vendor heard nothing");
    browser
        .until(
            "the counts, by themselves",
            "return document.querySelector('.tabs').innerText.includes('rejected 0')",
        )
        .await;
}
