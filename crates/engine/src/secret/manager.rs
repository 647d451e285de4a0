//! The secret in AWS Secrets Manager.

use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{SecretText, Secrets, unusable};
use crate::{Error, ErrorKind, Stage};

/// Secrets from AWS Secrets Manager.
#[derive(Debug, Clone)]
pub struct SecretsManager {
    client: aws_sdk_secretsmanager::Client,
    id: String,
}

impl SecretsManager {
    /// The secret with this name or ARN.
    #[must_use]
    pub fn new(client: aws_sdk_secretsmanager::Client, id: String) -> Self {
        Self { client, id }
    }
}

impl Secrets for SecretsManager {
    fn fetch(&self) -> BoxFuture<'_, Result<SecretText, Error>> {
        Box::pin(async move {
            let answer = self
                .client
                .get_secret_value()
                .secret_id(&self.id)
                .send()
                .await
                .map_err(|error| {
                    let code = error.as_service_error().and_then(|e| e.meta().code());
                    unavailable("the vendor's secret cannot be read", code)
                })?;
            let text = answer
                .secret_string
                .ok_or_else(|| unusable("the secret has no text"))?;
            Ok(SecretText {
                text: text.into(),
                version: answer.version_id.unwrap_or_default(),
            })
        })
    }

    /// `PutSecretValue` has no condition, but it refuses a second text for a version id that exists
    /// (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html>). So the successor of each
    /// version has one id that all writers derive from it, and only one of them can make it.
    fn replace<'a>(&'a self, version: &'a str, text: &'a SecretString) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(async move {
            let put = self
                .client
                .put_secret_value()
                .secret_id(&self.id)
                .client_request_token(successor(version))
                .secret_string(text.expose_secret())
                .send()
                .await;
            match put {
                Ok(_) => Ok(true),
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(|e| e.is_resource_exists_exception()) =>
                {
                    Ok(false)
                }
                Err(error) => {
                    let code = error.as_service_error().and_then(|e| e.meta().code());
                    Err(unavailable("the vendor's secret cannot be written", code))
                }
            }
        })
    }
}

/// The id of the version that follows this one: 32 to 64 characters are allowed.
fn successor(version: &str) -> String {
    hex::encode(Sha256::digest(format!("vendorbridge after {version}")))
}

fn unavailable(message: &str, code: Option<&str>) -> Error {
    Error::retry(ErrorKind::Unavailable, Stage::Push, message).code(code.unwrap_or("no answer"))
}
