//! What `VENDOR_SETTINGS` holds for this vendor.

use serde::Deserialize;
use serde_json::json;
use url::Url;
use vendorbridge::auth::AuthSettings;
use vendorbridge::source::TableSettings;

/// The settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// Where the application is, such as `https://discovery.example`; its API is below `/api/v1`.
    pub(crate) url: Url,
    /// How course-discovery knows who calls: mostly client credentials of the LMS, whose tokens are shown with the word `JWT`
    /// (<https://github.com/openedx/edx-rest-api-client>). The user needs staff rights: others get 200 calls an hour.
    pub(crate) auth: AuthSettings,
    /// The uuid of the `CourseType` of courses that name none.
    pub(crate) course_type: String,
    /// The uuid of the `CourseRunType` of runs that name none.
    pub(crate) run_type: String,
    /// The slug of the `Source` of courses that name none.
    pub(crate) product_source: String,
}

/// Where the front door for lines of business keeps what they said of these entities.
pub(crate) fn states(table: &str, entity_type: &str) -> Result<TableSettings, serde_json::Error> {
    serde_json::from_value(json!({
        "table": table,
        "key": {"pk": format!("line#{entity_type}/{{id}}"), "sk": "state"},
        "version": "revision",
    }))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::Value;
    use vendorbridge::source::KeyValue;

    use super::*;

    fn read(changed: &Value) -> Result<Settings, String> {
        let mut settings = json!({
            "url": "https://discovery.example", "course_type": "e7c0a1a6-0000-4000-8000-000000000001",
            "run_type": "e7c0a1a6-0000-4000-8000-000000000002", "product_source": "acme",
            "auth": {"kind": "client-credentials", "token_url": "https://lms.example/oauth2/access_token", "scheme": "JWT",
                     "client_auth": "body", "parameters": {"token_type": "jwt"}},
        });
        let changed = changed.as_object().unwrap().clone();
        settings.as_object_mut().unwrap().extend(changed);
        serde_json::from_value(settings).map_err(|error| error.to_string())
    }

    #[test]
    fn tokens_are_shown_as_jwt() {
        let AuthSettings::ClientCredentials(at) = read(&json!({})).unwrap().auth else {
            panic!("expected client credentials");
        };
        assert_eq!(at.scheme, "JWT");
    }

    #[rstest]
    #[case(json!({"run_type": null}), "invalid type: null")]
    #[case(json!({"token": "secret"}), "unknown field `token`")]
    #[case(json!({"auth": {"kind": "jwt"}}), "unknown variant `jwt`")]
    fn what_cannot_be_used(#[case] changed: Value, #[case] reason: &str) {
        let error = read(&changed).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn a_state_stands_under_its_line_and_id() {
        let key = states("ledger", "course").unwrap().key;
        let key = key.fill("acme:12345678").unwrap();
        let text = |text: &str| KeyValue::Text(text.to_owned());
        assert_eq!(key["pk"], text("line#course/acme:12345678"));
        assert_eq!(key["sk"], text("state"));
    }
}
