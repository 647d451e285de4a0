//! The bus, as AWS has it.

use aws_sdk_eventbridge::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};
use aws_smithy_types::DateTime;
use futures::future::BoxFuture;

use super::{Bus, Event, Refusal};

/// Codes of an entry, or of a request, that says the same however often it is put
/// (<https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html>). A missing permission is none
/// of them: that is mended by a person, and then the record goes through.
const PERMANENT: [&str; 6] = [
    "InvalidArgument",
    "MalformedDetail",
    "NotAuthorizedForDetailTypeException",
    "NotAuthorizedForSourceException",
    "RedactionFailure",
    "ValidationException",
];

/// An EventBridge bus.
#[derive(Debug, Clone)]
pub struct EventBridge {
    client: aws_sdk_eventbridge::Client,
    bus: String,
}

impl EventBridge {
    /// The bus of this name.
    #[must_use]
    pub fn new(client: aws_sdk_eventbridge::Client, bus: String) -> Self {
        Self { client, bus }
    }

    fn entry(&self, event: &Event) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(&event.source)
            .detail_type(&event.detail_type)
            .detail(&event.detail)
            .set_time(
                event
                    .time
                    .map(|time| DateTime::from_millis(time.as_millisecond())),
            )
            .build()
    }
}

impl Bus for EventBridge {
    fn put<'a>(
        &'a self,
        events: &'a [&'a Event],
    ) -> BoxFuture<'a, Result<Vec<Result<String, Refusal>>, Refusal>> {
        Box::pin(async move {
            let entries = events.iter().map(|event| self.entry(event)).collect();
            let answer = self.client.put_events().set_entries(Some(entries)).send().await;
            match answer {
                Ok(answer) => Ok(answer.entries().iter().map(result).collect()),
                Err(error) => Err(refusal(
                    error.code().map_or_else(|| unanswered(&error), str::to_owned),
                )),
            }
        })
    }
}

/// An entry counts as published only with an id.
fn result(entry: &PutEventsResultEntry) -> Result<String, Refusal> {
    match (entry.error_code(), entry.event_id()) {
        (None, Some(id)) => Ok(id.to_owned()),
        (code, _) => Err(refusal(code.unwrap_or("neither id nor code").to_owned())),
    }
}

fn refusal(code: String) -> Refusal {
    let is_permanent = PERMANENT.contains(&code.as_str());
    Refusal { code, is_permanent }
}

fn unanswered<E: std::error::Error + 'static>(error: &SdkError<E>) -> String {
    match error {
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(_) => "no answer".to_owned(),
        _ => DisplayErrorContext(error).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(None, Some("7a0d"), None)]
    #[case(Some("ThrottlingException"), None, Some(false))]
    #[case(Some("InternalFailure"), None, Some(false))]
    #[case(Some("AccessDeniedException"), None, Some(false))]
    #[case(Some("SomethingNew"), None, Some(false))]
    #[case(Some("MalformedDetail"), None, Some(true))]
    #[case(Some("InvalidArgument"), None, Some(true))]
    #[case(Some("NotAuthorizedForSourceException"), None, Some(true))]
    #[case(Some("InternalFailure"), Some("7a0d"), Some(false))]
    #[case(None, None, Some(false))]
    fn an_entry_is_published_with_an_id_only(
        #[case] code: Option<&str>,
        #[case] id: Option<&str>,
        #[case] is_permanent: Option<bool>,
    ) {
        let entry = PutEventsResultEntry::builder()
            .set_error_code(code.map(str::to_owned))
            .set_event_id(id.map(str::to_owned))
            .build();
        assert_eq!(
            result(&entry).err().map(|refusal| refusal.is_permanent),
            is_permanent
        );
    }
}
