//! The trace that the work at hand belongs to.
//!
//! It reaches the HTTP client beside the arguments: a source and a vendor need not know of it, and cannot lose it.

use std::sync::{Mutex, PoisonError};

use crate::message::TraceParent;

tokio::task_local! {
    static CONTEXT: Context;
}

struct Context {
    trace: TraceParent,
    spans: Mutex<fastrand::Rng>,
}

/// Does `work` in this trace, if there is one. Each of its calls gets an id of its own out of `spans`.
pub(crate) async fn within<Work: Future>(
    trace: Option<TraceParent>,
    spans: impl FnOnce() -> fastrand::Rng,
    work: Work,
) -> Work::Output {
    let Some(trace) = trace else {
        return work.await;
    };
    let spans = Mutex::new(spans());
    CONTEXT.scope(Context { trace, spans }, work).await
}

/// What the next call of the work at hand is sent with; `None` where the work belongs to no trace.
pub(crate) fn next_call() -> Option<TraceParent> {
    let child = |context: &Context| {
        let mut spans = context.spans.lock().unwrap_or_else(PoisonError::into_inner);
        context.trace.child(spans.u64(..))
    };
    CONTEXT.try_with(child).ok()
}
