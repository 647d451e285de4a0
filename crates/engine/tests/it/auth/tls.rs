//! Mutual TLS, with authorities made here.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use vendorbridge::ErrorKind;
use vendorbridge::http::HttpOptions;

use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate for `name` and its key, both PEM.
fn issue(authority: &Authority, name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// Answers 200 to a client whose certificate `clients` issued, with the bearer token that it showed. A connection that
/// the handshake ends is dropped.
async fn serve(server: &Authority, clients: &Authority) -> Url {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots.add(clients.der().clone()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .unwrap();
    let (certificate, key) = issue(server, "localhost");
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut socket) = acceptor.accept(socket).await else {
                    return;
                };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let Ok(byte) = socket.read_u8().await else {
                        return;
                    };
                    head.push(byte);
                }
                let head = String::from_utf8(head).unwrap().to_lowercase();
                let token = head
                    .lines()
                    .find_map(|line| line.strip_prefix("authorization: bearer "));
                let body = token.unwrap_or_default();
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
                socket.write_all(answer.as_bytes()).await.unwrap();
                socket.shutdown().await.unwrap();
            });
        }
    });
    format!("https://localhost:{port}/").parse().unwrap()
}

struct Stand {
    url: Url,
    clients: Authority,
    vault: Vault,
    clock: Arc<ManualClock>,
    instance: Instance,
    auth: Auth,
}

impl Stand {
    async fn start() -> Self {
        let (server, clients) = (authority("server"), authority("clients"));
        let url = serve(&server, &clients).await;
        let (certificate, key) = issue(&clients, "acme");
        let vault = Vault::new(&json!({
            "acme_certificate": certificate, "acme_certificate_key": key, "acme_token": HUNTER,
        }));
        let options = HttpOptions {
            allow_private: true,
            roots: vec![server.der().clone()],
            ..HttpOptions::default()
        };
        let clock = clock();
        let instance = Instance::with(Http::with(options).unwrap(), &vault, Arc::clone(&clock) as _);
        let auth = instance.auth(json!({"kind": "all", "of": [{"kind": "mutual-tls"}, {"kind": "bearer"}]}));
        Self {
            url,
            clients,
            vault,
            clock,
            instance,
            auth,
        }
    }

    fn put(&self, (certificate, key): (String, String)) {
        self.vault.put(&json!({
            "acme_certificate": certificate, "acme_certificate_key": key, "acme_token": HUNTER,
        }));
    }

    async fn call(&self) -> Result<Answer, Error> {
        self.instance.get(&self.auth, &self.url).await
    }
}

#[tokio::test]
async fn a_certificate_and_a_token_go_together() {
    let stand = Stand::start().await;
    assert_eq!(stand.call().await.unwrap().body, HUNTER.as_bytes());
    let text = format!("{:?}", stand.auth);
    assert!(!text.contains(HUNTER) && !text.contains("BEGIN"), "{text}");
}

#[tokio::test]
async fn a_call_without_a_certificate_is_refused() {
    let stand = Stand::start().await;
    let error = stand.instance.get(&Auth::none(), &stand.url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deauthorized, "{error}");
}

#[tokio::test]
async fn a_server_of_another_authority_is_not_called() {
    let stand = Stand::start().await;
    let other = serve(&authority("other"), &stand.clients).await;
    let error = stand.instance.get(&stand.auth, &other).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused_until_it_is_rotated() {
    let stand = Stand::start().await;
    let good = issue(&stand.clients, "acme");
    stand.put(issue(&authority("other"), "acme"));
    let error = stand.call().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Deauthorized, "{error}");
    assert!(matches!(error.verdict(), vendorbridge::Verdict::Retry { .. }));
    assert_silent(&error);
    // The refusal has the secret read anew, long before it is old.
    stand.put(good);
    assert_eq!(stand.call().await.unwrap().status, 200);
}

#[tokio::test]
async fn a_rotated_certificate_is_taken_up() {
    let stand = Stand::start().await;
    stand.call().await.unwrap();
    stand.put(issue(&authority("other"), "acme"));
    assert_eq!(stand.call().await.unwrap().status, 200, "the one that is cached");
    stand.clock.advance(seconds(301));
    let error = stand.call().await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Deauthorized,
        "the new one is used, and it is a wrong one: {error}"
    );
    stand.put(issue(&stand.clients, "acme"));
    assert_eq!(stand.call().await.unwrap().status, 200);
}

#[tokio::test]
async fn a_certificate_that_is_none_is_deauthorized() {
    let stand = Stand::start().await;
    let (certificate, key) = issue(&stand.clients, "acme");
    let (_, other_key) = issue(&stand.clients, "acme");
    for pair in [
        (HUNTER.to_owned(), key.clone()),
        (certificate.clone(), HUNTER.to_owned()),
        (certificate.clone(), other_key),
    ] {
        stand.put(pair);
        stand.clock.advance(seconds(301));
        let error = stand.call().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deauthorized, "{error}");
        assert_silent(&error);
    }
}
