//! A command's connection to a deployment: what is deployed, and a client for each service it needs.

use aws_config::SdkConfig;
use vendorbridge::ledger::Reader;

use crate::args::Global;
use crate::deployment::Deployment;
use crate::{CliError, aws};

/// What a command works on. Clients are made when they are asked for; they share connections and credentials.
#[derive(Debug, Clone)]
pub struct Session {
    /// The stack's name.
    pub stack: String,
    /// What its outputs say.
    pub deployment: Deployment,
    config: SdkConfig,
}

impl Session {
    /// Finds region, credentials and the stack.
    ///
    /// # Errors
    /// If there is no region, there are no credentials, or there is no such stack.
    pub async fn open(global: &Global) -> Result<Self, CliError> {
        let config = aws::connect().await?;
        let cfn = aws_sdk_cloudformation::Client::new(&config);
        let deployment = Deployment::of_stack(&cfn, &global.stack).await?;
        Ok(Self {
            stack: global.stack.clone(),
            deployment,
            config,
        })
    }

    /// Reads the ledger.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(self.dynamodb(), self.deployment.table.clone())
    }

    /// `DynamoDB`.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    /// SQS.
    #[must_use]
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// Lambda.
    #[must_use]
    pub fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.config)
    }

    /// `EventBridge`.
    #[must_use]
    pub fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        aws_sdk_eventbridge::Client::new(&self.config)
    }

    /// `CloudWatch` Logs.
    #[must_use]
    pub fn logs(&self) -> aws_sdk_cloudwatchlogs::Client {
        aws_sdk_cloudwatchlogs::Client::new(&self.config)
    }

    /// `CloudWatch`.
    #[must_use]
    pub fn cloudwatch(&self) -> aws_sdk_cloudwatch::Client {
        aws_sdk_cloudwatch::Client::new(&self.config)
    }
}
