//! `serve`: the API and the workers in one process, ended gracefully.

use anyhow::Context;
use axum::serve::ListenerExt;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{
    http::{self, App, Limits},
    panel::{self, Panel},
    service::{Relay, webhooks},
    store::{self, leases},
    telemetry, worker,
};

/// Serves until SIGTERM or SIGINT: then no new request is taken, those in hand are answered, and the
/// workers end what they hold.
pub(super) async fn serve(relay: Relay) -> anyhow::Result<()> {
    let listen = relay.config.listen;
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}: is another relay running there? set NEXPURA_LISTEN")
    })?;
    leases::let_go(&relay.db).await?;
    webhooks::after_start(&relay, store::now()).await?;
    let app = App {
        relay: relay.clone(),
        limits: Limits::of_the_api(),
        screens: Limits::of_screens(),
        metrics: telemetry::numbers()?,
    };
    let (stop, stopped) = watch::channel(false);
    let workers = tokio::spawn(worker::run(relay.clone(), stopped.clone()));
    tracing::info!(address = %listener.local_addr()?, "serving");
    let mut ended = stopped;
    let panel = Panel::new(relay.clone())?;
    let served = http::router(app, panel::router(panel.clone()));
    let service = panel::for_people(served, panel)
        .into_make_service_with_connect_info::<std::net::SocketAddr>();
    // What is streamed in small pieces does not wait for the reader's acknowledgements.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection may lag");
        }
    });
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        let _ = ended.wait_for(|stop| *stop).await;
    });
    let server = tokio::spawn(server.into_future());
    asked_to_stop().await?;
    tracing::info!("stopping");
    relay.wake.stop();
    let _ = stop.send(true);
    server.await??;
    workers.await?;
    relay.db.close().await;
    Ok(())
}

async fn asked_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
