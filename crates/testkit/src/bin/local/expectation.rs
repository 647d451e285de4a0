//! What the sample events must lead to.

use vendorbridge::ledger::Status;
use vendorbridge_testkit::sandbox::Sandbox;
use vendorbridge_testkit::sandbox::infoservice::{Address, Channel, NewPreference};

/// A sample event and the status it must reach at each vendor.
pub(crate) struct Sample {
    pub(crate) file: &'static str,
    pub(crate) mailchimp: Status,
    pub(crate) webhook: Status,
}

pub(crate) const SAMPLES: [Sample; 5] = [
    Sample {
        file: "delivery-preference-updated.json",
        mailchimp: Status::Synced,
        webhook: Status::Synced,
    },
    Sample {
        file: "delivery-preference-updated.paper.json",
        mailchimp: Status::Synced,
        webhook: Status::Synced,
    },
    Sample {
        file: "delivery-preference-updated.customer-gone.json",
        mailchimp: Status::Deleted,
        webhook: Status::Deleted,
    },
    Sample {
        file: "delivery-preference-updated.no-email.json",
        mailchimp: Status::Rejected,
        webhook: Status::Synced,
    },
    Sample {
        file: "delivery-preference-updated.no-customer-id.json",
        mailchimp: Status::Rejected,
        webhook: Status::Rejected,
    },
];

impl Sample {
    pub(crate) fn expected(&self, vendor: &str) -> Status {
        if vendor == "mailchimp" {
            self.mailchimp
        } else {
            self.webhook
        }
    }
}

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
