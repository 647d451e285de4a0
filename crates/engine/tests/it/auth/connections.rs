//! Which addresses are called, and by which way.

use axum::Router;
use axum::routing::any;
use rstest::rstest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use vendorbridge::ErrorKind;
use vendorbridge::http::{AwsHttp, HttpError, HttpOptions};

use super::*;

#[rstest]
#[case("127.0.0.1", false)]
#[case("127.1", false)]
#[case("2130706433", false)]
#[case("0x7f000001", false)]
#[case("0177.0.0.1", false)]
#[case("0.0.0.0", false)]
#[case("10.1.2.3", false)]
#[case("172.16.0.1", false)]
#[case("172.32.0.1", true)]
#[case("192.168.1.1", false)]
#[case("100.64.0.1", false)]
#[case("169.254.169.254", false)]
#[case("169.254.170.2", false)]
#[case("0xa9fea9fe", false)]
#[case("198.18.0.1", false)]
#[case("224.0.0.1", false)]
#[case("255.255.255.255", false)]
#[case("9.9.9.9", true)]
#[case("[::1]", false)]
#[case("[::]", false)]
#[case("[::ffff:127.0.0.1]", false)]
#[case("[::ffff:a9fe:a9fe]", false)]
#[case("[::ffff:9.9.9.9]", true)]
#[case("[::127.0.0.1]", false)]
#[case("[64:ff9b::a9fe:a9fe]", false)]
#[case("[2002:7f00:1::]", false)]
#[case("[fd00::8]", false)]
#[case("[fd00:ec2::254]", false)]
#[case("[fe80::1]", false)]
#[case("[ff02::1]", false)]
#[case("[2001:db8::1]", false)]
#[case("[2620:fe::fe]", true)]
#[case("info.example", true)]
fn addresses(#[case] host: &str, #[case] allowed: bool) {
    let url = format!("https://{host}/").parse().unwrap();
    assert_eq!(Http::new(false).unwrap().check(&url).is_ok(), allowed, "{url}");
    let options = HttpOptions {
        allow_private: true,
        ..HttpOptions::default()
    };
    assert!(Http::with(options).unwrap().check(&url).is_ok());
}

/// Plain HTTP, for a server on this machine, but no private addresses.
fn guarded() -> Http {
    let options = HttpOptions {
        allow_plain: true,
        ..HttpOptions::default()
    };
    Http::with(options).unwrap()
}

async fn greeting() -> Url {
    super::server::serve(Router::new().fallback(any(|| async { "hello" }))).await
}

#[tokio::test]
async fn a_name_that_stands_for_this_machine_is_not_connected_to() {
    let mut url = greeting().await;
    url.set_host(Some("localhost")).unwrap();
    let refused = guarded()
        .request(Method::GET, url.clone())
        .send()
        .await
        .unwrap_err();
    assert!(matches!(refused, HttpError::Private), "{refused:?}");
    let error = refused.at(Stage::Source);
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(!error.is_brief());
    let allowed = Http::new(true)
        .unwrap()
        .request(Method::GET, url)
        .send()
        .await
        .unwrap();
    assert_eq!(allowed.status, 200);
}

#[tokio::test]
async fn every_request_is_checked_not_only_what_is_configured() {
    let url = greeting().await;
    let refused = guarded().request(Method::GET, url).send().await.unwrap_err();
    assert!(matches!(refused, HttpError::Url { .. }), "{refused:?}");
}

/// A proxy that opens what `CONNECT` asks for, wherever that is: to `target`.
async fn proxy(target: Url) -> (Url, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut url: Url = format!("http://{}/", listener.local_addr().unwrap())
        .parse()
        .unwrap();
    url.set_host(Some("localhost")).unwrap();
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let (log, target) = (Arc::clone(&log), target.clone());
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                log.lock().unwrap().push(head.lines().next().unwrap().to_owned());
                if head.starts_with("CONNECT ") {
                    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                    let address = (target.host_str().unwrap(), target.port().unwrap());
                    let mut server = TcpStream::connect(address).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                } else {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    client.write_all(answer).await.unwrap();
                }
            });
        }
    });
    (url, asked)
}

#[tokio::test]
async fn requests_go_through_the_proxy_and_the_sdks_do_not() {
    let target = greeting().await;
    let (proxy, asked) = proxy(target.clone()).await;
    // The proxy itself has a private address, as proxies do; what is called through it may not have one.
    let options = HttpOptions {
        allow_plain: true,
        proxy: Some(proxy),
        ..HttpOptions::default()
    };
    let http = Http::with(options).unwrap();
    let secure = "https://vendor.example/x".parse().unwrap();
    // The greeting speaks no TLS: the tunnel is what matters.
    http.request(Method::GET, secure).send().await.unwrap_err();
    let plain = "http://vendor.example/x".parse().unwrap();
    assert_eq!(http.request(Method::GET, plain).send().await.unwrap().status, 200);
    assert_eq!(
        *asked.lock().unwrap(),
        [
            "CONNECT vendor.example:443 HTTP/1.1",
            "GET http://vendor.example/x HTTP/1.1"
        ]
    );
    let refused = http
        .request(Method::GET, target.clone())
        .send()
        .await
        .unwrap_err();
    assert!(matches!(refused, HttpError::Url { .. }), "{refused:?}");

    let sdk = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .http_client(AwsHttp::new(&http))
        .endpoint_url(target.as_str())
        .region(aws_config::Region::from_static("eu-west-1"))
        .credentials_provider(aws_credential_types::Credentials::new(
            "a", "b", None, None, "test",
        ))
        .load()
        .await;
    let client = aws_sdk_sqs::Client::new(&sdk);
    let answer = client.list_queues().send().await;
    assert!(
        answer
            .as_ref()
            .err()
            .and_then(|error| error.raw_response())
            .is_some()
            || answer.is_ok(),
        "the loopback endpoint answered: {answer:?}"
    );
    assert_eq!(asked.lock().unwrap().len(), 2, "and not through the proxy");
}

#[rstest]
#[case("socks5://proxy.example")]
#[case("http://user:pass@proxy.example")]
fn a_proxy_that_cannot_be_used_shows_at_start(#[case] proxy: &str) {
    let options = HttpOptions {
        proxy: Some(proxy.parse().unwrap()),
        ..HttpOptions::default()
    };
    assert!(Http::with(options).is_err());
}
