//! CloudWatch's embedded metric format: a log line that says which of its fields are metrics
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>;
//! why no library writes it: docs/adr/0018-one-line-is-log-and-metric.md).

use std::io::Write;

use jiff::Timestamp;
use serde::Serialize;

/// Where the metrics are found.
const NAMESPACE: &str = "Vendorbridge";

/// Which fields of the line are metrics, and of what time. CloudWatch takes two weeks back and two hours ahead.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metrics {
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    timestamp: Timestamp,
    cloud_watch_metrics: Vec<Directive>,
}

/// Metrics that have the same dimensions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive {
    namespace: &'static str,
    dimensions: [&'static [&'static str]; 1],
    metrics: Vec<Metric>,
}

/// A field that is a metric. It has to be there, and a number.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Metric {
    name: &'static str,
    unit: &'static str,
}

/// Milliseconds.
pub(super) const fn millis(name: &'static str) -> Metric {
    Metric {
        name,
        unit: "Milliseconds",
    }
}

/// Seconds.
pub(super) const fn seconds(name: &'static str) -> Metric {
    Metric {
        name,
        unit: "Seconds",
    }
}

/// A number of things.
pub(super) const fn count(name: &'static str) -> Metric {
    Metric { name, unit: "Count" }
}

impl Metrics {
    pub(super) fn at(timestamp: Timestamp) -> Self {
        Self {
            timestamp,
            cloud_watch_metrics: Vec::new(),
        }
    }

    /// Adds metrics by these fields of the line, which are texts. Each combination of their values is a metric that costs.
    pub(super) fn by(
        mut self,
        dimensions: &'static [&'static str],
        metrics: impl IntoIterator<Item = Metric>,
    ) -> Self {
        let metrics: Vec<_> = metrics.into_iter().collect();
        if !metrics.is_empty() {
            self.cloud_watch_metrics.push(Directive {
                namespace: NAMESPACE,
                dimensions: [dimensions],
                metrics,
            });
        }
        self
    }
}

/// Writes a line to stdout, where the other lines go.
pub(super) fn write(line: &impl Serialize) {
    // Of texts and numbers, so there is always one; and nobody is left to be told if stdout is gone.
    if let Ok(mut line) = serde_json::to_vec(line) {
        line.push(b'\n');
        let _ = std::io::stdout().lock().write_all(&line);
    }
}

/// A time as the other lines have it.
pub(super) fn micros(time: Timestamp) -> String {
    format!("{time:.6}")
}
