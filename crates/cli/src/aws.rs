//! The AWS SDK, configured by the usual variables and files.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use vendorbridge::http::{AwsHttp, Http};

use crate::CliError;
use crate::error::chain;

/// Region, credentials and endpoint from the usual variables and files, over our own HTTP stack.
///
/// Nothing is checked yet: see [`ready`].
pub async fn sdk() -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::latest());
    // Without our client the SDK has none, and says so at the first call. Plain HTTP is the endpoint's matter.
    match Http::new(false) {
        Ok(http) => loader.http_client(AwsHttp::new(&http)).load().await,
        Err(_) => loader.load().await,
    }
}

/// Makes sure that there are a region and credentials before the first call, so that their absence is said plainly.
///
/// The credentials are fetched once for all clients: a sign-in that asks a person for a code asks once.
///
/// # Errors
/// [`CliError::NoRegion`] and [`CliError::NoCredentials`].
pub async fn ready(config: SdkConfig) -> Result<SdkConfig, CliError> {
    if config.region().is_none() {
        return Err(CliError::NoRegion);
    }
    let provider = config
        .credentials_provider()
        .ok_or_else(|| no_credentials("none".into()))?;
    let credentials = provider
        .provide_credentials()
        .await
        .map_err(|error| match &error {
            CredentialsError::CredentialsNotLoaded(_) => no_credentials("none".into()),
            error => no_credentials(format!("none usable ({})", chain(error))),
        })?;
    let credentials = SharedCredentialsProvider::new(credentials);
    Ok(config.into_builder().credentials_provider(credentials).build())
}

/// [`sdk`], made [`ready`].
pub(crate) async fn connect() -> Result<SdkConfig, CliError> {
    ready(sdk().await).await
}

fn no_credentials(found: String) -> CliError {
    CliError::NoCredentials { found }
}
