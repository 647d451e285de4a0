//! `vendorbridge console`: a page on 127.0.0.1 that shows how vendors and entities stand, and repairs.
//!
//! It has no rights of its own: every read and write is made with the credentials of whoever started it. What keeps other
//! pages of the same browser, and other users of the machine, from using them is in `guard.rs`.

mod actions;
mod assets;
mod attention;
mod entity;
mod failure;
mod guard;
mod live;
mod look;
mod open;
mod options;
mod routes;
mod series;
mod token;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde::Serialize;
use tokio::net::TcpListener;

use crate::args::Global;
use crate::session::Session;
use crate::{CliError, Outcome, output};
use guard::Guard;
use live::Live;
use token::Token;

pub use options::Options;

/// What the answers to the page's questions are made of.
struct Console {
    session: Session,
    live: Live,
}

/// What `console --json` prints once it can be called:
///
/// ```json
/// {"url": "http://127.0.0.1:41627/#token=…"}
/// ```
#[derive(Debug, Serialize)]
struct Address {
    url: String,
}

/// Serves the page until Ctrl-C.
///
/// # Errors
/// If the stack cannot be read, or the port is taken.
pub async fn run(global: &Global, options: &Options) -> Result<Outcome, CliError> {
    let session = Session::open(global).await?;
    let token = Token::random()?;
    let listener = listen(options.port).await?;
    let port = listener.local_addr().map_err(CliError::Runtime)?.port();
    let address = Address {
        url: format!("http://127.0.0.1:{port}/#token={}", token.reveal()),
    };
    output::print(&if global.json {
        output::json(&address)?
    } else {
        format!(
            "The console of {} is at\n\n  {}\n\nThe address lets whoever has it act as you: keep it to yourself. Ctrl-C ends it.\n",
            session.stack, address.url
        )
    })?;
    let _opened = if options.open {
        Some(open::browse(&address.url).await?)
    } else {
        None
    };
    let console = Arc::new(Console {
        session,
        live: Live::default(),
    });
    let service = routes::service(console, Guard::new(token, port));
    // Pages keep a stream open: they are cut, not waited for.
    tokio::select! {
        served = axum::serve(listener, service).into_future() => served.map_err(CliError::Runtime)?,
        () = ended() => {}
    }
    Ok(String::new().into())
}

async fn listen(port: u16) -> Result<TcpListener, CliError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address)
        .await
        .map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => CliError::PortTaken { port },
            _ => CliError::Runtime(error),
        })
}

/// Ctrl-C, or the usual signal to end.
async fn ended() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    _ = tokio::signal::ctrl_c().await;
}
