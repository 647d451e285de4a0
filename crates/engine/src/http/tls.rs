//! The one TLS configuration, and the one that shows a client certificate.

use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};

use super::HttpError;

/// What every client trusts, parsed once and shared.
#[derive(Debug, Clone)]
pub(super) struct Trust(Arc<rustls::RootCertStore>);

impl Trust {
    /// The trust roots are compiled in: nothing is read or parsed at start.
    pub(super) fn new(besides: Vec<CertificateDer<'static>>) -> Self {
        let mut roots = rustls::RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        roots.add_parsable_certificates(besides);
        Self(Arc::new(roots))
    }

    fn builder(
        &self,
    ) -> Result<rustls::ConfigBuilder<rustls::ClientConfig, rustls::client::WantsClientCert>, HttpError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        Ok(rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| HttpError::Request("no TLS version is usable"))?
            .with_root_certificates(Arc::clone(&self.0)))
    }

    pub(super) fn anonymous(&self) -> Result<rustls::ClientConfig, HttpError> {
        Ok(self.builder()?.with_no_client_auth())
    }

    /// Shows a client certificate: a PEM chain, its own certificate first, and the PEM key.
    pub(super) fn with_certificate(
        &self,
        chain: &SecretString,
        key: &SecretString,
    ) -> Result<rustls::ClientConfig, HttpError> {
        let unusable = || HttpError::Certificate("expected a client certificate and its key in PEM");
        let chain = CertificateDer::pem_slice_iter(chain.expose_secret().as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| unusable())?;
        let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes()).map_err(|_| unusable())?;
        self.builder()?
            .with_client_auth_cert(chain, key)
            .map_err(|_| HttpError::Certificate("expected a client certificate that matches its key"))
    }
}

/// Whether the other side ended the connection because of our certificate, or because we showed none.
pub(super) fn is_certificate_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    use rustls::AlertDescription as Alert;
    let rustls::Error::AlertReceived(alert) = (match find::<rustls::Error>(error) {
        Some(error) => error,
        None => return false,
    }) else {
        return false;
    };
    matches!(
        alert,
        Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::AccessDenied
    )
}

/// The first error of this type among the causes of `error`. An I/O error hides what it carries from `source`.
pub(super) fn find<'a, E: std::error::Error + 'static>(
    mut error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a E> {
    loop {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        let carried = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        error = match carried {
            Some(carried) => carried,
            None => error.source()?,
        };
    }
}
