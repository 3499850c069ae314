//! Logs for machines, and the numbers behind `/metrics`.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// JSON lines on standard error. `RUST_LOG` chooses what; the default is this relay's own `info`.
pub fn logs() {
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("warn,nexpura_relay=info"));
    // A second call, as in tests, finds the first one's subscriber.
    let _ = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_current_span(true)
        .with_span_list(false)
        .try_init();
}

/// Begins to keep numbers.
///
/// # Errors
/// When another recorder is in place.
pub fn numbers() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new().install_recorder()?;
    metrics::describe_counter!("nexpura_events_total", "Events received, by what became of them");
    metrics::describe_counter!("nexpura_requests_total", "Requests answered");
    metrics::describe_histogram!(
        "nexpura_request_seconds",
        metrics::Unit::Seconds,
        "Time from a request to its answer"
    );
    metrics::describe_gauge!("nexpura_events_waiting", "Events that wait or failed, by state");
    Ok(handle)
}
