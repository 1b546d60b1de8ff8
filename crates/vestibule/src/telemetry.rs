//! What the operator sees from outside: log lines on stderr, and Prometheus metrics.
//!
//! Neither carries a token, a secret or a claim. Labels have few values: an action that is not
//! known is counted as `unknown`, so that nobody can grow the metrics from outside.

use std::{fmt, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use tracing_subscriber::EnvFilter;

use crate::{
    config::{Log, LogFormat},
    listen::Figures,
};

/// The metrics.
pub struct Telemetry {
    registry: Registry,
    calls: Family<CallLabels, Counter>,
    latency: Family<ServiceLabel, Histogram>,
    revision: Gauge,
    backlog: Gauge,
    aggregated: Gauge,
    lost: Gauge,
    fetches: Gauge,
    fetch_failures: Gauge,
}

/// What is read from the inside when the metrics are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gauges {
    /// Revision of the world that decides.
    pub revision: u64,
    /// Events that wait to be indexed.
    pub log_backlog: u64,
    /// Events that were counted together instead of kept.
    pub log_aggregated: u64,
    /// Events that could not be written.
    pub log_lost: u64,
    /// Fetches from identity providers.
    pub idp_fetches: u64,
    /// Those that failed.
    pub idp_failures: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    service: &'static str,
    action: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServiceLabel {
    service: &'static str,
}

/// Seconds; from a cached decision to a slow identity provider.
const BUCKETS: [f64; 12] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.1, 0.5, 2.0, 10.0];

impl Telemetry {
    /// Nothing counted yet but by the listener.
    pub fn new(listener: Figures) -> Telemetry {
        let mut registry = Registry::with_prefix("vestibule");
        let calls = Family::<CallLabels, Counter>::default();
        let latency = Family::<ServiceLabel, Histogram>::new_with_constructor(|| {
            Histogram::new(BUCKETS.iter().copied())
        });
        let gauge = |registry: &mut Registry, name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        registry.register("calls", "AWS calls by service, action and outcome", calls.clone());
        registry.register("call_seconds", "Time from request to answer", latency.clone());
        registry.register("connections", "Open connections", listener.connections);
        registry.register(
            "bodies_refused",
            "Requests refused because the memory for bodies was taken",
            listener.no_room,
        );
        Telemetry {
            revision: gauge(&mut registry, "world_revision", "Revision that decides"),
            backlog: gauge(&mut registry, "log_backlog", "Events waiting to be indexed"),
            lost: gauge(&mut registry, "log_lost", "Events that could not be written"),
            aggregated: gauge(
                &mut registry,
                "log_aggregated",
                "Events counted together in a flood",
            ),
            fetches: gauge(&mut registry, "idp_fetches", "Fetches from identity providers"),
            fetch_failures: gauge(&mut registry, "idp_fetch_failures", "Those that failed"),
            registry,
            calls,
            latency,
        }
    }

    /// Counts one call. `service` and `action` come from the registry of actions, never from the
    /// request; an action that is not in it is `unknown`.
    pub fn called(
        &self,
        service: &'static str,
        action: &'static str,
        outcome: &'static str,
        took: Duration,
    ) {
        let labels = CallLabels { service, action, outcome };
        self.calls.get_or_create(&labels).inc();
        self.latency.get_or_create(&ServiceLabel { service }).observe(took.as_secs_f64());
    }

    /// The metrics as text (OpenMetrics 1.0).
    pub fn render(&self, gauges: &Gauges) -> String {
        let set = |gauge: &Gauge, value: u64| {
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        };
        set(&self.revision, gauges.revision);
        set(&self.backlog, gauges.log_backlog);
        set(&self.aggregated, gauges.log_aggregated);
        set(&self.lost, gauges.log_lost);
        set(&self.fetches, gauges.idp_fetches);
        set(&self.fetch_failures, gauges.idp_failures);
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// The log filter cannot be read, or log lines have been set up already.
#[derive(Debug)]
pub struct LogError(String);

impl fmt::Display for LogError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "log.filter: {}", self.0)
    }
}

impl std::error::Error for LogError {}

/// Starts printing log lines on stderr.
///
/// # Errors
/// [`LogError`].
pub fn init(log: &Log, colour: bool) -> Result<(), LogError> {
    let filter = EnvFilter::try_new(&log.filter).map_err(|error| LogError(error.to_string()))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match log.format {
        LogFormat::Text => lines.with_ansi(colour).with_target(false).try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| LogError(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_and_gauges_are_rendered() {
        let listener = Figures::default();
        listener.connections.set(3);
        listener.no_room.inc();
        let telemetry = Telemetry::new(listener);
        let took = Duration::from_micros(300);
        telemetry.called("sts", "AssumeRoleWithWebIdentity", "denied", took);
        telemetry.called("sts", "AssumeRoleWithWebIdentity", "denied", took);
        let text = telemetry.render(&Gauges { revision: 7, ..Gauges::default() });
        let call = "vestibule_calls_total{service=\"sts\",\
                    action=\"AssumeRoleWithWebIdentity\",outcome=\"denied\"} 2\n";
        assert!(text.contains(call), "{text}");
        assert!(text.contains("vestibule_world_revision 7\n"), "{text}");
        assert!(text.contains("vestibule_connections 3\n"), "{text}");
        assert!(text.contains("vestibule_bodies_refused_total 1\n"), "{text}");
        assert!(text.contains("call_seconds_bucket{le=\"0.0005\",service=\"sts\"} 2"), "{text}");
        assert!(text.contains("call_seconds_bucket{le=\"0.00025\",service=\"sts\"} 0"), "{text}");
    }

    #[test]
    fn a_broken_filter_is_refused() {
        let log = Log { filter: "a=b=c".to_owned(), format: LogFormat::Text };
        assert!(init(&log, false).unwrap_err().to_string().starts_with("log.filter: "));
    }
}
