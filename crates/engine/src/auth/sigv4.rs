//! AWS Signature Version 4, for API Gateway, OpenSearch and other services that ask for it.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use http::HeaderName;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::http::Request;
use crate::{Error, ErrorKind, Stage};

#[derive(Clone)]
pub(super) struct SigV4 {
    pub(super) service: String,
    pub(super) region: String,
    pub(super) provider: SharedCredentialsProvider,
}

impl SigV4 {
    /// Signs a request that is otherwise complete.
    pub(super) async fn sign<'a>(&self, request: Request<'a>, now: Timestamp) -> Result<Request<'a>, Error> {
        let credentials = self.provider.provide_credentials().await.map_err(|_| {
            let message = "the role's credentials cannot be had";
            Error::retry(ErrorKind::Unavailable, Stage::Push, message)
        })?;
        let identity = credentials.into();
        let unsigned = |_| {
            let message = "the request cannot be signed";
            Error::retry(ErrorKind::Invalid, Stage::Push, message)
        };
        let mut settings = SigningSettings::default();
        // S3 and OpenSearch Serverless want the header; nobody minds it.
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        if self.service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        }
        let since = Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default());
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(UNIX_EPOCH + since)
            .settings(settings)
            .build()
            .map_err(|_| Error::retry(ErrorKind::Invalid, Stage::Push, "the request cannot be signed"))?
            .into();
        let headers = request
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable = SignableRequest::new(
            request.method.as_str(),
            request.url.as_str(),
            headers,
            SignableBody::Bytes(&request.body),
        )
        .map_err(unsigned)?;
        let (instructions, _) = sign(signable, &parameters).map_err(unsigned)?.into_parts();
        let (headers, _) = instructions.into_parts();
        let mut request = request;
        for header in headers {
            let value = SecretString::from(header.value());
            request = request.secret_header(HeaderName::from_static(header.name()), &value);
        }
        Ok(request)
    }
}

impl fmt::Debug for SigV4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigV4({}, {})", self.service, self.region)
    }
}
