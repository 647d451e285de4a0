use std::{io, net::TcpListener};

use reqwest::Method;
use vendorbridge_testkit::sandbox::{Fault, Sandbox, SandboxConfig};

use crate::{client, member, send, source, start, until};

#[tokio::test]
async fn it_listens_where_it_is_told_and_stops() {
    let sandbox = start().await;
    let port = sandbox.url().rsplit(':').next().unwrap().parse().unwrap();
    assert!(sandbox.url().starts_with("http://127.0.0.1:"));
    let same = SandboxConfig {
        port: Some(port),
        ..SandboxConfig::default()
    };
    assert_eq!(
        Sandbox::start(same.clone()).await.err().unwrap().kind(),
        io::ErrorKind::AddrInUse
    );
    // An idle connection must not keep it.
    let client = client();
    send(source(&client, &sandbox, Method::GET, "c-1")).await.unwrap();

    sandbox.stop().await;

    let again = Sandbox::start(same).await.unwrap();
    assert_eq!(
        send(source(&client, &again, Method::GET, "c-1"))
            .await
            .unwrap()
            .status,
        404
    );
}

#[tokio::test]
async fn dropping_it_frees_the_port_and_lets_held_requests_go() {
    let (sandbox, client) = (start().await, client());
    let address = sandbox.url().replace("http://", "");
    sandbox.infoservice.faults().for_all(Fault::Timeout);
    let held = tokio::spawn(send(source(&client, &sandbox, Method::GET, "c-1")));
    until(async || sandbox.infoservice.max_concurrent() == 1).await;

    drop(sandbox);

    assert!(held.await.unwrap().is_err());
    until(async || TcpListener::bind(&address).is_ok()).await;
}

#[tokio::test]
async fn a_signing_secret_of_another_form_is_refused() {
    for secret in ["", "plain", "whsec_", "whsec_c2hvcnQ=", "whsec_!"] {
        let config = SandboxConfig {
            signing_secret: secret.to_owned(),
            ..SandboxConfig::default()
        };
        assert_eq!(
            Sandbox::start(config).await.err().unwrap().kind(),
            io::ErrorKind::InvalidInput,
            "{secret}"
        );
    }
}

#[tokio::test]
async fn the_log_names_requests_and_no_addresses() {
    let config = SandboxConfig {
        log_requests: true,
        ..SandboxConfig::default()
    };
    let sandbox = Sandbox::start(config).await.unwrap();
    let client = client();
    sandbox.infoservice.faults().at(1, Fault::CutConnection);
    let _ = send(source(&client, &sandbox, Method::GET, "c-1")).await;
    send(member(&client, &sandbox, Method::GET, "one@sandbox.test"))
        .await
        .unwrap();
    send(client.get(format!("{}/mailchimp/3.0/ping", sandbox.url())))
        .await
        .unwrap();

    let log: Vec<_> = sandbox
        .requests()
        .into_iter()
        .map(|entry| {
            let status = entry.status.map_or(0, |status| status.as_u16());
            format!("{} {} {} {status}", entry.service, entry.method, entry.path)
        })
        .collect();

    assert_eq!(
        log,
        [
            "infoservice GET /api/v1/customers/c-1/delivery-preference 0",
            "mailchimp GET /3.0/lists/a1b2c3d4e5/members/{address} 404",
            "mailchimp GET /3.0/ping 404",
        ]
    );
}
