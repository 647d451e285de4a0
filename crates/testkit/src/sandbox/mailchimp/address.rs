//! Which addresses are taken for real.

/// Whether it has the form of an address.
pub(super) fn is_address(address: &str) -> bool {
    address.split_once('@').is_some_and(|(local, domain)| {
        let plain = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '@');
        plain(local)
            && plain(domain)
            && domain.split('.').count() > 1
            && domain.split('.').all(|label| !label.is_empty())
    })
}

/// RFC 2606 and RFC 6761: names that can never receive mail.
pub(super) fn is_reserved(address: &str) -> bool {
    let address = address.to_lowercase();
    let domain = address.rsplit('@').next().unwrap_or_default();
    let under =
        |name: &str| domain == name || domain.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    [
        "example.com",
        "example.net",
        "example.org",
        "example",
        "invalid",
        "test",
    ]
    .into_iter()
    .any(under)
}
