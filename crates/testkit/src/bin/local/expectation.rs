//! What the sample events must lead to.

use serde_json::Value;
use vendorbridge::ledger::Status;
use vendorbridge_testkit::cloud::{AUTH0_SOURCE, INDEX};
use vendorbridge_testkit::sandbox::Sandbox;
use vendorbridge_testkit::sandbox::infoservice::{Address, Channel, NewPreference};
use vendorbridge_testkit::sandbox::shortlist::NewShortlist;

/// A sample event and the status that it must reach at each vendor that it concerns.
pub(crate) struct Sample {
    pub(crate) file: &'static str,
    /// The source under which it is sent, where the file's own is reserved.
    pub(crate) source: Option<&'static str>,
    pub(crate) expected: &'static [(&'static str, Status)],
}

const fn preference(file: &'static str, expected: &'static [(&'static str, Status)]) -> Sample {
    Sample {
        file,
        source: None,
        expected,
    }
}

const fn user(file: &'static str, expected: &'static [(&'static str, Status)]) -> Sample {
    Sample {
        file,
        source: Some(AUTH0_SOURCE),
        expected,
    }
}

const MAILCHIMP: &str = "mailchimp";
const WEBHOOK: &str = "webhook";
const ALGOLIA: &str = "algolia";

/// What is published first, and what once that is settled: events that come together become one.
pub(crate) const ROUNDS: [&[Sample]; 2] = [
    &[
        preference(
            "delivery-preference-updated.json",
            &[(MAILCHIMP, Status::Synced), (WEBHOOK, Status::Synced)],
        ),
        preference(
            "delivery-preference-updated.paper.json",
            &[(MAILCHIMP, Status::Synced), (WEBHOOK, Status::Synced)],
        ),
        preference(
            "delivery-preference-updated.customer-gone.json",
            &[(MAILCHIMP, Status::Deleted), (WEBHOOK, Status::Deleted)],
        ),
        preference(
            "delivery-preference-updated.no-email.json",
            &[(MAILCHIMP, Status::Rejected), (WEBHOOK, Status::Synced)],
        ),
        preference(
            "delivery-preference-updated.no-customer-id.json",
            &[(MAILCHIMP, Status::Rejected), (WEBHOOK, Status::Rejected)],
        ),
        user("user-created.json", &[(MAILCHIMP, Status::Synced)]),
        user("user-created.no-email.json", &[(MAILCHIMP, Status::Rejected)]),
        preference("shortlist-changed.json", &[(WEBHOOK, Status::Synced)]),
        preference("shortlist-changed.deleted.json", &[(WEBHOOK, Status::Deleted)]),
    ],
    &[user("user-updated.json", &[(MAILCHIMP, Status::Synced)])],
];

/// The items that are written to the inventory, by id and title; the table's stream announces them.
pub(crate) const ITEMS: [(&str, &str); 2] = [
    ("SKU#blackTShirt-M", "Black T-shirt (M)"),
    ("SKU#greySocks-40", "Grey socks (40)"),
];

/// The vendor that follows the inventory.
pub(crate) const FOLLOWER: &str = ALGOLIA;

/// The versions that the sample events announce: a source with less would be taken for a lagging one.
const VERSIONS: u64 = 12;

/// Puts the customers of the sample events into the source. c-4713 is not there.
pub(crate) fn seed(sandbox: &Sandbox) {
    let ada = NewPreference {
        first_name: "Ada".to_owned(),
        last_name: "Lovelace".to_owned(),
        ..NewPreference::by_email("c-4711", "ada@lovelace.example")
    };
    let grace = NewPreference {
        channel: Channel::Paper,
        first_name: "Grace".to_owned(),
        last_name: "Hopper".to_owned(),
        address: Some(Address {
            line1: "1 Harbour Street".to_owned(),
            city: "Arlington".to_owned(),
            postal_code: "22202".to_owned(),
            country: "US".to_owned(),
        }),
        ..NewPreference::by_email("c-4712", "grace@hopper.example")
    };
    let alan = NewPreference {
        channel: Channel::Paper,
        email: None,
        first_name: "Alan".to_owned(),
        last_name: "Turing".to_owned(),
        address: grace.address.clone(),
        ..NewPreference::by_email("c-4714", "")
    };
    for preference in [ada, grace, alan] {
        for _ in 0..VERSIONS {
            sandbox.infoservice.put(preference.clone());
        }
    }
    let list = NewShortlist::of("s-77", &["lamp", "sofa"]);
    sandbox.shortlists.put(list);
}

/// Where the vendors differ from the source; empty if they hold exactly what it holds.
pub(crate) fn differences(sandbox: &Sandbox, list: &str) -> Vec<String> {
    let mut differences = Vec::new();
    let mut members = sandbox.mailchimp.members(list);
    let mut held = sandbox.webhook.held();
    for preference in sandbox.infoservice.all() {
        let id = &preference.customer_id;
        let state = serde_json::to_value(&preference).unwrap_or_default();
        if held.remove(id).and_then(|data| data.get("state").cloned()) != Some(state) {
            differences.push(format!("webhook: {id} is not what the source says"));
        }
        let Some(email) = &preference.email else { continue };
        let position = members.iter().position(|member| member.email_address == *email);
        match position.map(|at| members.remove(at)) {
            Some(member)
                if member.full_name == format!("{} {}", preference.first_name, preference.last_name) => {}
            Some(_) => differences.push(format!("mailchimp: {id} is not what the source says")),
            None => differences.push(format!("mailchimp: {id} is missing")),
        }
    }
    let user = members
        .iter()
        .position(|member| member.full_name == "Urist McDorf");
    match user {
        Some(at) => _ = members.remove(at),
        None => differences.push("mailchimp: the user is not what its event says".to_owned()),
    }
    let list = held.remove("s-77");
    if list.is_none_or(|data| Value::from(data).pointer("/state/items/1/sku") != Some(&"sofa".into())) {
        differences.push("webhook: the shortlist is not what the web shop says".to_owned());
    }
    let mut records = sandbox.algolia.records(INDEX);
    for (id, title) in ITEMS {
        let record = records.remove(id);
        if record.is_none_or(|record| record.get("title") != Some(&title.into())) {
            differences.push(format!("algolia: {id} is not what the table says"));
        }
    }
    differences.extend(
        records
            .keys()
            .map(|id| format!("algolia: {id} is not in the table")),
    );
    differences.extend(
        members
            .iter()
            .map(|_| "mailchimp: a member that the source does not have".to_owned()),
    );
    differences.extend(
        held.keys()
            .map(|id| format!("webhook: {id} is not at the source")),
    );
    differences
}
