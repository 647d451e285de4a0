//! Ctrl-C: the work in hand ends, nothing more begins.

use std::time::Duration;

use tokio::sync::watch;

/// Says when it is time to stop.
#[derive(Debug)]
pub(crate) struct Stop(watch::Sender<bool>);

impl Stop {
    /// Listens for SIGINT and SIGTERM from now on. A second one ends the process at once.
    pub(crate) fn listen() -> Self {
        let sender = watch::Sender::new(false);
        let told = sender.clone();
        tokio::spawn(async move {
            signal().await;
            told.send_replace(true);
            signal().await;
            std::process::exit(130);
        });
        Self(sender)
    }

    /// Nobody tells it.
    #[cfg(test)]
    pub(crate) fn never() -> Self {
        Self(watch::Sender::new(false))
    }

    #[cfg(test)]
    pub(crate) fn now(&self) {
        self.0.send_replace(true);
    }

    /// Whether it is time.
    pub(crate) fn is_told(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is time.
    pub(crate) async fn told(&self) {
        let mut told = self.0.subscribe();
        // The sender is ours: it does not go away.
        _ = told.wait_for(|told| *told).await;
    }

    /// Waits, or until it is time to stop: then it answers with `false`.
    pub(crate) async fn sleep(&self, duration: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.told() => false,
            () = tokio::time::sleep(duration) => true,
        }
    }
}

async fn signal() {
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Nothing can be heard: the signal's own effect ends the process.
        std::future::pending::<()>().await;
    }
}
