//! Reads what the checks are made on.

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Statistic};
use aws_sdk_eventbridge::types::RuleState;
use aws_sdk_lambda::types::{FunctionResponseType, ScalingConfig};
use aws_sdk_sqs::types::QueueAttributeName as Name;
use futures::future::{join_all, try_join_all};
use jiff::Timestamp;
use vendorbridge::clock::{Clock, SystemClock};
use vendorbridge::lane::queue_of_partition;
use vendorbridge::ledger::{AttentionKind, VendorRecord};

use super::facts::{Facts, Function, Mapping, Queue, Read, Rule, Unread};
use crate::session::Session;
use crate::{CliError, ask};

const ACTION: &str = "checking the deployment";
/// How far back `CloudWatch` is asked, in seconds.
const LOOK_BACK: i64 = 600;

/// Everything about a vendor, side by side.
pub(super) async fn facts(session: &Session, vendor: &str) -> Facts {
    let depth_of = |output: &str| depth(session, format!("{output}{vendor}"));
    let (dead_letters, undelivered) = (depth_of("DeadLetterQueueUrl"), depth_of("UndeliveredQueueUrl"));
    let of_function = async { futures::join!(function(session, vendor), mappings(session, vendor)) };
    let of_rules = async { futures::join!(rules(session, vendor), is_woken(session, vendor)) };
    let of_queues = async {
        futures::join!(
            queues(session, vendor),
            dead_letters,
            undelivered,
            oldest(session, vendor)
        )
    };
    let of_ledger = async { futures::join!(record(session, vendor), first_due(session, vendor)) };
    let description = async { read("lambda:InvokeFunction", ask::describe(session, vendor).await) };
    let (of_function, of_rules, of_queues, of_ledger, description) =
        futures::join!(of_function, of_rules, of_queues, of_ledger, description);
    let outputs = [
        "QueueUrl",
        "Partitions",
        "DeadLetterQueueUrl",
        "UndeliveredQueueUrl",
        "FunctionName",
        "SecretArn",
    ];
    let outputs = outputs.map(|name| format!("{name}{vendor}"));
    let is_missing = |name: &String| !session.deployment.outputs.contains_key(name);
    Facts {
        vendor: vendor.to_owned(),
        missing_outputs: outputs.into_iter().filter(is_missing).collect(),
        function: of_function.0,
        mappings: of_function.1,
        rules: of_rules.0,
        is_woken: of_rules.1,
        queues: of_queues.0,
        dead_letters: of_queues.1,
        undelivered: of_queues.2,
        oldest: of_queues.3,
        record: of_ledger.0,
        first_due: of_ledger.1,
        description,
    }
}

/// How many outcomes could not be announced.
pub(super) async fn set_aside(session: &Session) -> Read<u64> {
    depth(session, "ChangesFailureQueueUrl".to_owned()).await
}

fn read<T>(needs: &'static str, answer: Result<T, CliError>) -> Read<T> {
    answer.map_err(|error| Unread {
        needs,
        is_forbidden: matches!(error, CliError::Forbidden { .. }),
        found: error.to_string(),
    })
}

fn output<'a>(session: &'a Session, name: &str) -> Result<&'a str, CliError> {
    let value = session.deployment.outputs.get(name);
    value.map(String::as_str).ok_or_else(|| CliError::Call {
        action: ACTION,
        message: format!("expected an output `{name}` of the stack, found none"),
    })
}

async fn function(session: &Session, vendor: &str) -> Read<Function> {
    let reading = async {
        let name = output(session, &format!("FunctionName{vendor}"))?;
        let request = session.lambda().get_function_configuration().function_name(name);
        let found = request
            .send()
            .await
            .map_err(|error| CliError::of_sdk(ACTION, &error))?;
        Ok(Function {
            timeout: found
                .timeout()
                .and_then(|seconds| u64::try_from(seconds).ok())
                .unwrap_or_default(),
            state: found.state().map_or("Active", |state| state.as_str()).to_owned(),
        })
    };
    read("lambda:GetFunctionConfiguration", reading.await)
}

async fn mappings(session: &Session, vendor: &str) -> Read<Vec<Mapping>> {
    let reading = async {
        let name = output(session, &format!("FunctionName{vendor}"))?;
        let pages = session.lambda().list_event_source_mappings().function_name(name);
        let pages = pages
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>();
        let found = pages.await.map_err(|error| CliError::of_sdk(ACTION, &error))?;
        Ok(found.into_iter().map(|mapping| Mapping {
            queue: mapping.event_source_arn().unwrap_or_default().to_owned(),
            state: mapping.state().unwrap_or_default().to_owned(),
            batch: mapping.batch_size().unwrap_or_default(),
            reports_failures: mapping
                .function_response_types()
                .contains(&FunctionResponseType::ReportBatchItemFailures),
            concurrency: mapping
                .scaling_config()
                .and_then(ScalingConfig::maximum_concurrency),
        }))
    };
    read(
        "lambda:ListEventSourceMappings",
        reading.await.map(Iterator::collect),
    )
}

async fn queues(session: &Session, vendor: &str) -> Read<Vec<Queue>> {
    let reading = async {
        let (first, partitions) = session.deployment.queues(vendor)?;
        let urls = (0..partitions.count()).map(|partition| queue_of_partition(first, partition));
        try_join_all(urls.map(async |url| queue(session, &url).await)).await
    };
    read("sqs:GetQueueAttributes", reading.await)
}

async fn queue(session: &Session, url: &str) -> Result<Queue, CliError> {
    let answer = session.sqs().get_queue_attributes().queue_url(url);
    let answer = answer.attribute_names(Name::All).send().await;
    let answer = answer.map_err(|error| CliError::of_sdk(ACTION, &error))?;
    let attribute = |name: Name| {
        answer
            .attributes()
            .and_then(|all| all.get(&name))
            .filter(|value| !value.is_empty())
    };
    Ok(Queue {
        name: url.rsplit('/').next().unwrap_or(url).to_owned(),
        arn: attribute(Name::QueueArn).cloned().unwrap_or_default(),
        visibility: attribute(Name::VisibilityTimeout)
            .and_then(|value| value.parse().ok())
            .unwrap_or_default(),
        has_redrive: attribute(Name::RedrivePolicy).is_some(),
        has_policy: attribute(Name::Policy).is_some(),
    })
}

async fn depth(session: &Session, name: String) -> Read<u64> {
    let reading = async {
        let queue = crate::vendor::depth(&session.sqs(), output(session, &name)?).await?;
        Ok(queue.visible + queue.in_flight)
    };
    read("sqs:GetQueueAttributes", reading.await)
}

async fn oldest(session: &Session, vendor: &str) -> Read<Option<u64>> {
    let reading = async {
        let (first, partitions) = session.deployment.queues(vendor)?;
        let names = (0..partitions.count()).map(|partition| queue_of_partition(first, partition));
        let ages = try_join_all(names.map(async |url| age(session, &url).await)).await?;
        Ok(ages.into_iter().flatten().max())
    };
    read("cloudwatch:GetMetricStatistics", reading.await)
}

async fn age(session: &Session, url: &str) -> Result<Option<u64>, CliError> {
    let now = SystemClock.now().as_second();
    let name = url.rsplit('/').next().unwrap_or(url);
    let answer = session
        .cloudwatch()
        .get_metric_statistics()
        .namespace("AWS/SQS")
        .metric_name("ApproximateAgeOfOldestMessage")
        .dimensions(Dimension::builder().name("QueueName").value(name).build())
        .start_time(DateTime::from_secs(now - LOOK_BACK))
        .end_time(DateTime::from_secs(now))
        .period(60)
        .statistics(Statistic::Maximum)
        .send()
        .await
        .map_err(|error| CliError::of_sdk(ACTION, &error))?;
    let latest = answer
        .datapoints()
        .iter()
        .max_by_key(|point| point.timestamp().map(DateTime::secs));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole seconds above zero"
    )]
    Ok(latest
        .and_then(aws_sdk_cloudwatch::types::Datapoint::maximum)
        .map(|seconds| seconds as u64))
}

async fn rules(session: &Session, vendor: &str) -> Read<Vec<Rule>> {
    let (client, bus) = (session.eventbridge(), &session.deployment.bus);
    let name = format!("{}-{vendor}", session.stack);
    let reading = async {
        let listed = client
            .list_rules()
            .event_bus_name(bus)
            .name_prefix(&name)
            .send()
            .await;
        let listed = listed.map_err(|error| CliError::of_sdk(ACTION, &error))?;
        // Another vendor's name may begin like this one's.
        let others = session.deployment.vendors.iter().filter(|other| *other != vendor);
        let others: Vec<_> = others.map(|other| format!("{}-{other}", session.stack)).collect();
        let is_ours = |rule: &str| {
            let is_other = |other: &String| rule == other || rule.starts_with(&format!("{other}-"));
            rule == name || (rule.starts_with(&format!("{name}-")) && !others.iter().any(is_other))
        };
        let ours = listed
            .rules()
            .iter()
            .filter(|rule| rule.name().is_some_and(is_ours));
        let with_targets = ours.map(async |rule| {
            let name = rule.name().unwrap_or_default();
            let targets = client
                .list_targets_by_rule()
                .event_bus_name(bus)
                .rule(name)
                .send()
                .await;
            let targets = targets.map_err(|error| CliError::of_sdk(ACTION, &error))?;
            let target = |target: &aws_sdk_eventbridge::types::Target| {
                let group = target.sqs_parameters().and_then(|sqs| sqs.message_group_id());
                (target.arn().to_owned(), group.map(str::to_owned))
            };
            Ok(Rule {
                name: name.to_owned(),
                is_enabled: rule.state() != Some(&RuleState::Disabled),
                pattern: rule
                    .event_pattern()
                    .and_then(|text| serde_json::from_str(text).ok())
                    .unwrap_or_default(),
                targets: targets.targets().iter().map(target).collect(),
            })
        });
        join_all(with_targets).await.into_iter().collect()
    };
    read("events:ListRules and events:ListTargetsByRule", reading.await)
}

async fn is_woken(session: &Session, vendor: &str) -> Read<bool> {
    let name = format!("{}-{vendor}-waker", session.stack);
    let described = session.eventbridge().describe_rule().name(name).send().await;
    let described = described.map_err(|error| CliError::of_sdk(ACTION, &error));
    read(
        "events:DescribeRule",
        described.map(|rule| rule.state() == Some(&RuleState::Enabled)),
    )
}

async fn record(session: &Session, vendor: &str) -> Read<VendorRecord> {
    let found = session.reader().vendor(vendor).await.map_err(CliError::unread);
    read(
        "dynamodb:GetItem",
        found.map(|record| record.unwrap_or_else(|| VendorRecord::new(vendor))),
    )
}

async fn first_due(session: &Session, vendor: &str) -> Read<Option<Timestamp>> {
    let found = session.reader().attention(vendor, AttentionKind::Wake, 1).await;
    let due = found.map(|records| records.into_iter().next()?.parked.map(|parked| parked.wake_at));
    read(
        "dynamodb:Query and dynamodb:BatchGetItem",
        due.map_err(CliError::unread),
    )
}
