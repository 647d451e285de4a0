//! The AWS clients that demos and tests use.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use vendorbridge::http::{AwsHttp, Http};
use vendorbridge::ledger::Reader;

use super::CloudError;

/// Clients of one endpoint.
#[derive(Debug, Clone)]
pub struct Aws {
    /// `AWS_ENDPOINT_URL` for the programs that are started; `None` for AWS itself.
    pub endpoint: Option<String>,
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
    /// EventBridge.
    pub eventbridge: aws_sdk_eventbridge::Client,
    /// Lambda.
    pub lambda: aws_sdk_lambda::Client,
    /// Secrets Manager.
    pub secrets: aws_sdk_secretsmanager::Client,
    /// CloudFormation.
    pub cloudformation: aws_sdk_cloudformation::Client,
}

impl Aws {
    /// Clients of an emulator, with credentials that mean nothing.
    ///
    /// # Errors
    /// If the HTTP client cannot be built.
    pub async fn emulator(endpoint: &str) -> Result<Self, CloudError> {
        let credentials = aws_credential_types::Credentials::new("test", "test", None, None, "emulator");
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http()?)
            .endpoint_url(endpoint)
            .region(Region::from_static("us-east-1"))
            .credentials_provider(credentials)
            .load()
            .await;
        Ok(Self::of(&sdk, Some(endpoint.to_owned())))
    }

    /// Clients of AWS itself, with the region and credentials of the environment.
    ///
    /// # Errors
    /// If the HTTP client cannot be built.
    pub async fn account() -> Result<Self, CloudError> {
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http()?)
            .load()
            .await;
        Ok(Self::of(&sdk, None))
    }

    fn of(sdk: &SdkConfig, endpoint: Option<String>) -> Self {
        Self {
            endpoint,
            dynamodb: aws_sdk_dynamodb::Client::new(sdk),
            sqs: aws_sdk_sqs::Client::new(sdk),
            eventbridge: aws_sdk_eventbridge::Client::new(sdk),
            lambda: aws_sdk_lambda::Client::new(sdk),
            secrets: aws_sdk_secretsmanager::Client::new(sdk),
            cloudformation: aws_sdk_cloudformation::Client::new(sdk),
        }
    }

    /// The ledger in this table.
    #[must_use]
    pub fn ledger(&self, table: &str) -> Reader {
        Reader::new(self.dynamodb.clone(), table.to_owned())
    }
}

fn http() -> Result<AwsHttp, CloudError> {
    let http = Http::new(true).map_err(|error| CloudError::Aws {
        what: "an HTTP client",
        reason: error.to_string(),
    })?;
    Ok(AwsHttp::new(&http))
}
