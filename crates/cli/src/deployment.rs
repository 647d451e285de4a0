//! What is deployed, as the stack's outputs tell it (`Outputs` in template.yaml).

use std::collections::BTreeMap;

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::error::ProvideErrorMetadata;
use vendorbridge::lane::Partitions;

use crate::CliError;
use crate::error::one_line;

/// What a stack's outputs say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The ledger's table.
    pub table: String,
    /// The bus.
    pub bus: String,
    /// The vendors' names.
    pub vendors: Vec<String>,
    /// All outputs.
    pub outputs: BTreeMap<String, String>,
}

impl Deployment {
    /// Reads the outputs of `stack`.
    ///
    /// # Errors
    /// If there is no such stack, it may not be read, or it lacks an output.
    pub async fn of_stack(cfn: &Client, stack: &str) -> Result<Self, CliError> {
        let region = cfn
            .config()
            .region()
            .map_or("no region", |region| region.as_ref());
        let no_stack = |message: &str| CliError::NoStack {
            stack: stack.to_owned(),
            region: region.to_owned(),
            message: one_line(message),
        };
        let answer = cfn
            .describe_stacks()
            .stack_name(stack)
            .send()
            .await
            .map_err(|error| match error.code() {
                // CloudFormation has no code of its own for a stack that it does not know.
                Some("ValidationError") => no_stack(error.message().unwrap_or("ValidationError")),
                _ => CliError::of_sdk("reading the CloudFormation stack", &error),
            })?;
        let described = answer
            .stacks()
            .first()
            .ok_or_else(|| no_stack("an empty answer"))?;
        let outputs = described.outputs().iter().filter_map(|output| {
            let name = output.output_key()?.to_owned();
            Some((name, output.output_value()?.to_owned()))
        });
        let state = described
            .stack_status()
            .map_or("in no state", |state| state.as_str());
        Self::of_outputs(stack, state, outputs.collect())
    }

    fn of_outputs(stack: &str, state: &str, outputs: BTreeMap<String, String>) -> Result<Self, CliError> {
        let output = |name: &'static str| {
            outputs
                .get(name)
                .filter(|value| !value.is_empty())
                .ok_or_else(|| CliError::NoOutput {
                    stack: stack.to_owned(),
                    output: name,
                    state: state.to_owned(),
                })
        };
        let names = output("VendorNames")?.split(',').map(str::trim);
        Ok(Self {
            table: output("LedgerTableName")?.clone(),
            bus: output("BusName")?.clone(),
            vendors: names.filter(|name| !name.is_empty()).map(str::to_owned).collect(),
            outputs,
        })
    }

    /// The URL of a vendor's queue, and how many partitions there are; the others are named after it.
    ///
    /// # Errors
    /// [`CliError::NoVendor`] if the stack has no queue of that vendor.
    pub fn queues(&self, vendor: &str) -> Result<(&str, Partitions), CliError> {
        let url = self.outputs.get(&format!("QueueUrl{vendor}"));
        let url = url.ok_or_else(|| CliError::NoVendor {
            found: vendor.to_owned(),
            known: self.vendors.join(", "),
        })?;
        // A stack from before there were partitions does not tell.
        let count = self.outputs.get(&format!("Partitions{vendor}"));
        let count = count.and_then(|count| count.parse::<u32>().ok());
        let partitions = count.and_then(|count| Partitions::try_from(count).ok());
        Ok((url, partitions.unwrap_or_default()))
    }

    /// The vendors to report on: all, or the one that was asked for.
    ///
    /// # Errors
    /// [`CliError::NoVendor`] names those that there are.
    pub fn chosen(&self, vendor: Option<&str>) -> Result<Vec<&str>, CliError> {
        let Some(wanted) = vendor else {
            return Ok(self.vendors.iter().map(String::as_str).collect());
        };
        match self.vendors.iter().find(|known| *known == wanted) {
            Some(known) => Ok(vec![known]),
            None => Err(CliError::NoVendor {
                found: wanted.to_owned(),
                known: self.vendors.join(", "),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn outputs_name_table_bus_and_vendors() {
        let outputs = outputs(&[
            ("LedgerTableName", "t"),
            ("BusName", "b"),
            ("VendorNames", "mailchimp,webhook"),
        ]);
        let deployment = Deployment::of_outputs("s", "CREATE_COMPLETE", outputs).unwrap();
        assert_eq!(deployment.vendors, ["mailchimp", "webhook"]);
        assert_eq!(deployment.chosen(Some("webhook")).unwrap(), ["webhook"]);
        assert_eq!(deployment.chosen(None).unwrap().len(), 2);
        assert_eq!(
            deployment.chosen(Some("algolia")).unwrap_err().to_string(),
            "expected one of the vendors mailchimp, webhook, found `algolia`"
        );
    }

    #[test]
    fn outputs_name_a_vendors_queues() {
        let outputs = outputs(&[
            ("LedgerTableName", "t"),
            ("BusName", "b"),
            ("VendorNames", "mailchimp,webhook"),
            ("QueueUrlwebhook", "https://sqs/1/s-webhook.fifo"),
            ("Partitionswebhook", "4"),
            ("QueueUrlmailchimp", "https://sqs/1/s-mailchimp.fifo"),
        ]);
        let deployment = Deployment::of_outputs("s", "CREATE_COMPLETE", outputs).unwrap();
        let (url, partitions) = deployment.queues("webhook").unwrap();
        assert_eq!((url, partitions.count()), ("https://sqs/1/s-webhook.fifo", 4));
        assert_eq!(deployment.queues("mailchimp").unwrap().1, Partitions::ONE);
        assert!(deployment.queues("algolia").is_err());
    }

    #[test]
    fn a_foreign_stack_is_told_apart() {
        let error = Deployment::of_outputs("s", "CREATE_IN_PROGRESS", outputs(&[("VendorNames", "a")]));
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("`LedgerTableName` of stack `s`") && error.contains("CREATE_IN_PROGRESS"),
            "{error}"
        );
    }
}
