//! Whether the vendors hold what the source holds.

use vendorbridge_testkit::cloud::World;
use vendorbridge_testkit::sandbox::infoservice::Preference;
use vendorbridge_testkit::sandbox::mailchimp::{Member, MergeValue};

/// The sandbox's audience.
pub const LIST: &str = "a1b2c3d4e5";

/// Every difference between the source and a vendor, in words. Empty: they hold exactly the same.
#[must_use]
pub fn differences(world: &World) -> Vec<String> {
    let preferences = world.sandbox.infoservice.all();
    let members = world.sandbox.mailchimp.members(LIST);
    let held = world.sandbox.webhook.held();
    let mut differences = Vec::new();
    for preference in &preferences {
        let id = &preference.customer_id;
        match members
            .iter()
            .find(|member| Some(&member.email_address) == preference.email.as_ref())
        {
            None => differences.push(format!("mailchimp lacks {id}")),
            Some(member) if !is_same(preference, member) => {
                differences.push(format!("mailchimp holds another state of {id}"));
            }
            Some(_) => {}
        }
        let state = serde_json::to_value(preference).ok();
        match held.get(id).map(|data| data.get("state")) {
            None => differences.push(format!("webhook lacks {id}")),
            Some(held) if held != state.as_ref() => {
                differences.push(format!("webhook holds another state of {id}"));
            }
            Some(_) => {}
        }
    }
    if members.len() != preferences.len() || held.len() != preferences.len() {
        let (source, mailchimp, webhook) = (preferences.len(), members.len(), held.len());
        differences.push(format!(
            "source has {source}, mailchimp {mailchimp}, webhook {webhook}"
        ));
    }
    differences
}

fn is_same(preference: &Preference, member: &Member) -> bool {
    let text = |tag: &str| match member.merge_fields.get(tag) {
        Some(MergeValue::Text(text)) => text.as_str(),
        _ => "",
    };
    let channel = serde_json::to_value(preference.channel).unwrap_or_default();
    text("FNAME") == preference.first_name
        && text("LNAME") == preference.last_name
        && Some(text("CHANNEL")) == channel.as_str()
        && member.language == preference.language
}
