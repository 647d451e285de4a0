//! OAuth 2 refresh tokens that are spent by using them, and the instances that share one.

use vendorbridge::ErrorKind;

use super::server::Service;
use super::*;

async fn service(clock: &Arc<dyn Clock>) -> (Service, Vault) {
    let service = Service::start(Arc::clone(clock)).await;
    let (id, secret) = service.books().client.clone();
    let vault = Vault::new(&json!({
        "acme_client_id": id, "acme_client_secret": secret, "acme_refresh_token": "hunter2-r0",
        "other": {"kept": [1, 2]},
    }));
    (service, vault)
}

fn settings(service: &Service) -> Value {
    json!({"kind": "refresh-token", "token_url": service.token_url})
}

fn machine() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

#[tokio::test]
async fn a_new_refresh_token_is_written_back_and_the_rest_is_kept() {
    let clock = clock();
    let (service, vault) = service(&(Arc::clone(&clock) as _)).await;
    let instance = Instance::new(&vault, Arc::clone(&clock) as _);
    let auth = instance.auth(settings(&service));
    assert_eq!(instance.status(&auth, &service.api_url).await, 200);
    let secret = vault.now();
    assert_eq!(secret["acme_refresh_token"], "hunter2-r1");
    assert_eq!(secret["acme_access_token"], "hunter2-a1");
    assert_eq!(secret["other"], json!({"kept": [1, 2]}));
    assert!(secret.get("acme_refresh_claim").is_none());
    clock.advance(seconds(3550));
    assert_eq!(instance.status(&auth, &service.api_url).await, 200);
    assert_eq!(vault.now()["acme_refresh_token"], "hunter2-r2");
    assert!(!service.books().family_revoked);
}

/// The server takes a second use of a refresh token for a theft: with any race the whole family would be void.
#[tokio::test]
async fn instances_that_refresh_at_once_take_turns() {
    for _ in 0..10 {
        let clock = machine();
        let (service, vault) = service(&clock).await;
        let instances: Vec<_> = (0..4)
            .map(|_| Instance::new(&vault, Arc::clone(&clock)))
            .collect();
        let auths: Vec<_> = instances.iter().map(|it| it.auth(settings(&service))).collect();
        let both = instances.iter().zip(&auths);
        let calls = both
            .clone()
            .map(|(instance, auth)| instance.status(auth, &service.api_url));
        assert_eq!(futures::future::join_all(calls).await, [200; 4]);
        // And again, when the access token is void before its time.
        service.revoke_access();
        let calls = both.map(|(instance, auth)| instance.status(auth, &service.api_url));
        assert_eq!(futures::future::join_all(calls).await, [200; 4]);
        assert!(!service.books().family_revoked);
        assert_eq!(
            service.books().asked.len(),
            2,
            "the others took what the first got"
        );
        let held = vault.now()["acme_refresh_token"].as_str().unwrap().to_owned();
        assert_eq!(service.good_refresh_tokens(), [held]);
    }
}

/// Shows that the test above can fail: who uses what the secret held a while ago revokes everything.
#[tokio::test]
async fn the_server_notices_a_second_use() {
    let clock = machine();
    let (service, vault) = service(&clock).await;
    let before = Vault::new(&vault.now());
    for vault in [&vault, &before] {
        let instance = Instance::new(vault, Arc::clone(&clock));
        let auth = instance.auth(settings(&service));
        let _ = instance.get(&auth, &service.api_url).await;
    }
    assert!(service.books().family_revoked);
    assert!(service.good_refresh_tokens().is_empty());
}

#[tokio::test]
async fn a_new_instance_uses_what_another_one_left() {
    let clock = clock();
    let (service, vault) = service(&(Arc::clone(&clock) as _)).await;
    for _ in 0..3 {
        let instance = Instance::new(&vault, Arc::clone(&clock) as _);
        let auth = instance.auth(settings(&service));
        assert_eq!(instance.status(&auth, &service.api_url).await, 200);
    }
    assert_eq!(service.books().asked.len(), 1);
}

#[tokio::test]
async fn the_claim_of_a_dead_instance_ends() {
    let clock = clock();
    let (service, vault) = service(&(Arc::clone(&clock) as _)).await;
    let until = clock.now() + jiff::SignedDuration::from_secs(20);
    vault.set("acme_refresh_claim", &format!("somebody {until}"));
    let instance = Instance::new(&vault, Arc::clone(&clock) as _);
    let auth = instance.auth(settings(&service));
    let error = instance.get(&auth, &service.api_url).await.unwrap_err();
    assert_eq!(
        (error.kind(), service.books().asked.len()),
        (ErrorKind::Timeout, 0)
    );
    clock.advance(seconds(20));
    assert_eq!(instance.status(&auth, &service.api_url).await, 200);
}

#[tokio::test]
async fn a_token_that_could_not_be_saved_is_saved_later() {
    let clock = clock();
    let (service, vault) = service(&(Arc::clone(&clock) as _)).await;
    let instance = Instance::new(&vault, Arc::clone(&clock) as _);
    // Nothing is claimed here, so that the first write is the one that fails.
    let auth = instance.auth(json!({
        "kind": "refresh-token", "token_url": service.token_url, "rotates": false,
    }));
    vault.close(true);
    assert_eq!(instance.status(&auth, &service.api_url).await, 200);
    assert_eq!(vault.now()["acme_refresh_token"], "hunter2-r0");
    vault.close(false);
    service.revoke_access();
    assert_eq!(instance.status(&auth, &service.api_url).await, 200);
    let held = vault.now()["acme_refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(service.good_refresh_tokens(), [held]);
    assert!(!service.books().family_revoked);
}

#[tokio::test]
async fn nothing_is_spent_while_the_secret_cannot_be_written() {
    let clock = clock();
    let (service, vault) = service(&(Arc::clone(&clock) as _)).await;
    vault.close(true);
    let instance = Instance::new(&vault, Arc::clone(&clock) as _);
    let auth = instance.auth(settings(&service));
    let error = instance.get(&auth, &service.api_url).await.unwrap_err();
    assert_eq!(
        (error.kind(), service.books().asked.len()),
        (ErrorKind::Unavailable, 0)
    );
}

#[tokio::test]
async fn a_service_that_keeps_its_refresh_token_costs_no_write() {
    let clock = clock();
    let (service, vault) = service(&(Arc::clone(&clock) as _)).await;
    service.books().rotates = false;
    let instance = Instance::new(&vault, Arc::clone(&clock) as _);
    let auth = instance.auth(json!({
        "kind": "refresh-token", "token_url": service.token_url, "rotates": false,
    }));
    for _ in 0..3 {
        assert_eq!(instance.status(&auth, &service.api_url).await, 200);
        clock.advance(seconds(3600));
    }
    assert_eq!((vault.writes(), service.books().asked.len()), (0, 3));
}

#[tokio::test]
async fn a_revoked_refresh_token_is_deauthorized_until_a_person_puts_another_one() {
    let clock = clock();
    let (service, vault) = service(&(Arc::clone(&clock) as _)).await;
    vault.set("acme_refresh_token", "hunter2 of somebody else");
    let instance = Instance::new(&vault, Arc::clone(&clock) as _);
    let auth = instance.auth(settings(&service));
    for _ in 0..5 {
        let error = instance.get(&auth, &service.api_url).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.vendor_code()),
            (ErrorKind::Deauthorized, Some("invalid_grant"))
        );
        assert_silent(&error);
    }
    assert_eq!(service.books().asked.len(), 1);
    vault.set("acme_refresh_token", "hunter2-r0");
    clock.advance(seconds(11));
    assert_eq!(instance.status(&auth, &service.api_url).await, 200);
}

#[tokio::test]
async fn an_outage_keeps_the_refresh_token_and_the_claim_goes() {
    let clock = clock();
    let (service, vault) = service(&(Arc::clone(&clock) as _)).await;
    service.books().outage = Some(503);
    let instance = Instance::new(&vault, Arc::clone(&clock) as _);
    let auth = instance.auth(settings(&service));
    let error = instance.get(&auth, &service.api_url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(vault.now()["acme_refresh_token"], "hunter2-r0");
    assert!(vault.now().get("acme_refresh_claim").is_none());
}
