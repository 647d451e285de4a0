//! Who calls, as API Gateway verified it, and which line that may write.

use std::collections::BTreeMap;

use http::{HeaderMap, Request, StatusCode};
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;

use crate::config::LineConfig;
use crate::problem::Problem;

/// Claims of an access token that name the client, the first that is there. They are the issuer's; a subject may be chosen by a
/// user, and never passes for a client.
const CLIENT_CLAIMS: [&str; 2] = ["client_id", "azp"];
/// A longer name of a caller is none of ours.
const MAX_NAME: usize = 512;

/// A caller whose signature or token API Gateway has verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// What the configuration names it by: the ARN of a role or user, `jwt:` and the client's id, or `jwt-sub:` and the subject.
    pub(crate) name: String,
    /// Exactly who it was: with a role's session.
    pub(crate) identity: String,
}

impl Caller {
    /// The caller of a request, if there is a verified one.
    pub(crate) fn of<B>(request: &Request<B>) -> Option<Self>
    where
        Request<B>: RequestExt,
    {
        let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else {
            return None;
        };
        let authorizer = context.authorizer.as_ref()?;
        if let Some(iam) = &authorizer.iam {
            return Self::named(role_of(iam.user_arn.as_deref()?), iam.user_arn.as_deref()?);
        }
        let claims = &authorizer.jwt.as_ref()?.claims;
        let client = CLIENT_CLAIMS.iter().find_map(|claim| claims.get(*claim));
        let name = match client {
            Some(client) => format!("jwt:{client}"),
            None => format!("jwt-sub:{}", claims.get("sub")?),
        };
        Self::named(name.clone(), &name)
    }

    fn named(name: String, identity: &str) -> Option<Self> {
        let is_usable =
            |text: &str| (1..=MAX_NAME).contains(&text.len()) && !text.chars().any(char::is_control);
        (is_usable(&name) && is_usable(identity)).then(|| Self {
            name,
            identity: identity.to_owned(),
        })
    }

    /// The line of this name, if the caller may write it. Who may not does not learn whether there is one.
    pub(crate) fn line<'l>(
        &self,
        lines: &'l BTreeMap<String, LineConfig>,
        name: &str,
    ) -> Result<&'l LineConfig, Problem> {
        let line = lines.get(name).filter(|line| line.callers.contains(&self.name));
        line.ok_or_else(|| {
            let detail = "expected a line that this caller may write, found another: the parameter `Lines` says who may write which";
            Problem::new(StatusCode::FORBIDDEN, "not-your-line", detail)
        })
    }
}

/// Nobody who is known.
pub(crate) fn unknown() -> Problem {
    let detail = "expected a signed request or a token that API Gateway has verified, found neither";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
}

/// A session `arn:aws:sts::123456789012:assumed-role/partner/session` is one of the role
/// `arn:aws:iam::123456789012:role/partner`
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns>); any other ARN names itself.
/// A role's path is not a part of its sessions.
fn role_of(arn: &str) -> String {
    let role = || {
        let (partition, rest) = arn.strip_prefix("arn:")?.split_once(":sts::")?;
        let (account, name) = rest.split_once(":assumed-role/")?;
        let (name, _) = name.split_once('/')?;
        Some(format!("arn:{partition}:iam::{account}:role/{name}"))
    };
    role().unwrap_or_else(|| arn.to_owned())
}

/// How long a caller waits for the outcome, in seconds: `Prefer: wait=10`, or `respond-async`
/// (<https://www.rfc-editor.org/rfc/rfc7240>). What cannot be understood is left aside, as that demands.
pub(crate) fn wait_seconds(headers: &HeaderMap, most: u32) -> u32 {
    let preferences = headers.get_all("prefer").iter();
    let preferences = preferences.filter_map(|value| value.to_str().ok());
    for preference in preferences
        .flat_map(|value| value.split([',', ';']))
        .map(str::trim)
    {
        if preference.eq_ignore_ascii_case("respond-async") {
            return 0;
        }
        if let Some((name, seconds)) = preference.split_once('=')
            && name.trim().eq_ignore_ascii_case("wait")
            && let Ok(seconds) = seconds.trim().trim_matches('"').parse::<u32>()
        {
            return seconds.min(most);
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "arn:aws:sts::123456789012:assumed-role/partner/i-1",
        "arn:aws:iam::123456789012:role/partner"
    )]
    #[case("arn:aws-cn:sts::1:assumed-role/p/s", "arn:aws-cn:iam::1:role/p")]
    #[case("arn:aws:iam::123456789012:user/ann", "arn:aws:iam::123456789012:user/ann")]
    #[case("arn:aws:sts::1:federated-user/ann", "arn:aws:sts::1:federated-user/ann")]
    fn a_session_is_one_of_its_role(#[case] arn: &str, #[case] name: &str) {
        assert_eq!(role_of(arn), name);
    }

    #[rstest]
    #[case(None, 20)]
    #[case(Some("wait=5"), 5)]
    #[case(Some("return=minimal, wait=\"3\""), 3)]
    #[case(Some("respond-async"), 0)]
    #[case(Some("respond-async, wait=10"), 0)]
    #[case(Some("wait=900"), 20)]
    #[case(Some("wait=soon"), 20)]
    fn the_wait_is_a_preference(#[case] header: Option<&'static str>, #[case] seconds: u32) {
        let mut headers = HeaderMap::new();
        headers.extend(header.map(|value| {
            (
                http::header::HeaderName::from_static("prefer"),
                HeaderValue::from_static(value),
            )
        }));
        assert_eq!(wait_seconds(&headers, 20), seconds);
    }
}
