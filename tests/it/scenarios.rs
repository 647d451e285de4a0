//! The scripts that the simulation runs, too, with the real binaries.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures::future::LocalBoxFuture;
use vendorbridge::ledger::{EventRecord, Status};
use vendorbridge_testkit::cloud::{World, until};
use vendorbridge_testkit::sandbox::infoservice::NewPreference;
use vendorbridge_testkit::sandbox::mailchimp::WriteKind;
use vendorbridge_testkit::sandbox::{Fault as Misbehaviour, Faults};
use vendorbridge_testkit::scenario::{End, Fault, Scenario, Step};
use vendorbridge_tests::{LIST, Published, VENDORS, announcement, differences, publish, settle_everything};

use crate::processes::{kill_functions, shorten_visibility};
use crate::stage;

const WITHIN: Duration = Duration::from_mins(3);

/// A script on its way.
struct Stage {
    world: World,
    published: Vec<Published>,
    customers: BTreeMap<String, u32>,
    settled: HashMap<&'static str, Vec<EventRecord>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn burst() {
    play("burst").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicates() {
    play("duplicates").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed() {
    play("killed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outage() {
    play("outage").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused() {
    play("refused").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown() {
    play("unknown").await;
}

/// On the heap: the world that a scenario holds is large.
fn play(name: &'static str) -> LocalBoxFuture<'static, ()> {
    Box::pin(played(name))
}

async fn played(name: &str) {
    let (_, text) = Scenario::all()
        .into_iter()
        .find(|(known, _)| *known == name)
        .unwrap();
    let scenario = Scenario::parse(text).unwrap();
    let duplicates = (scenario.duplicates > 0.0).then_some((scenario.duplicates, 7));
    let world = stage::world(&format!("script-{name}"), |options| {
        options.duplicates = duplicates;
        options.park_base_seconds = 1;
    })
    .await;
    for vendor in VENDORS {
        shorten_visibility(&world, vendor, 45).await;
    }
    let mut stage = Stage {
        world,
        published: Vec::new(),
        customers: BTreeMap::new(),
        settled: HashMap::new(),
    };
    for step in &scenario.steps {
        stage.play(step).await;
    }
    assert_eq!(
        differences(&stage.world),
        Vec::<String>::new(),
        "{}",
        scenario.says
    );
    stage.check(&scenario.end);
    stage::end(stage.world).await;
}

impl Stage {
    async fn play(&mut self, step: &Step) {
        match step {
            Step::Change { customers, times } => {
                for _ in 0..*times {
                    for customer in customers {
                        self.change(customer);
                    }
                }
                self.announce(customers, *times).await;
            }
            Step::Remove { customer } => {
                assert!(
                    self.world.sandbox.infoservice.remove(customer),
                    "no customer {customer}"
                );
                let events = publish(&self.world, &[announcement(customer, None)])
                    .await
                    .unwrap();
                self.published.extend(events);
            }
            Step::Fault {
                vendor,
                fault,
                request,
                customer,
            } => {
                let faults = self.faults(vendor);
                match (request, customer) {
                    (Some(request), _) => faults.at(*request, misbehaviour(*fault)),
                    (None, Some(customer)) => {
                        let subject = if vendor == "mailchimp" {
                            address(customer)
                        } else {
                            customer.clone()
                        };
                        faults.always_for(&subject, misbehaviour(*fault));
                    }
                    (None, None) => faults.for_all(misbehaviour(*fault)),
                }
            }
            Step::Recover { vendor } => self.faults(vendor).clear(),
            Step::Slow { vendor, millis } => {
                let latency = Duration::from_millis(*millis);
                match vendor.as_str() {
                    "mailchimp" => self.world.sandbox.mailchimp.latency(latency),
                    _ => self.world.sandbox.webhook.latency(latency),
                }
            }
            Step::Kill => assert!(kill_functions(&self.world) >= 2, "found no process to kill"),
            Step::WaitForCalls { vendor, at_least } => {
                until("calls of a vendor", WITHIN, async || {
                    Ok((self.calls(vendor) >= *at_least).then_some(()))
                })
                .await
                .unwrap();
            }
            Step::WaitForStatus {
                vendor,
                status,
                at_least,
            } => self.wait_for_status(vendor, *status, *at_least).await,
            Step::WaitForCircuit { vendor } => {
                until("an open circuit", WITHIN, async || {
                    let record = self.world.ledger().vendor(vendor).await.unwrap();
                    Ok(record.and_then(|record| record.circuit).map(|_| ()))
                })
                .await
                .unwrap();
            }
            Step::WaitUntilSettled => {
                self.settled = settle_everything(&self.world, &self.published, WITHIN)
                    .await
                    .unwrap();
            }
        }
    }

    fn change(&mut self, customer: &str) {
        let round = self.customers.entry(customer.to_owned()).or_default();
        *round += 1;
        self.world.sandbox.infoservice.put(NewPreference {
            first_name: format!("Name {round}"),
            ..NewPreference::by_email(customer, &address(customer))
        });
    }

    /// Announces the changes made last, each with its own version.
    async fn announce(&mut self, customers: &[String], times: u32) {
        let mut drafts = Vec::new();
        for before in (0..u64::from(times)).rev() {
            for customer in customers {
                let now = self.world.sandbox.infoservice.get(customer).unwrap().version;
                drafts.push(announcement(customer, Some(now - before)));
            }
        }
        for drafts in drafts.chunks(10) {
            let events = publish(&self.world, drafts).await.unwrap();
            self.published.extend(events);
        }
    }

    async fn wait_for_status(&self, vendor: &str, status: Status, at_least: usize) {
        let since = self.published.iter().map(|event| event.at).min().unwrap();
        until("a status", WITHIN, async || {
            let records = self.world.events_since(vendor, since).await?;
            let having = records.iter().filter(|record| record.status == status).count();
            Ok((having >= at_least).then_some(()))
        })
        .await
        .unwrap();
    }

    fn faults(&self, vendor: &str) -> &Faults {
        match vendor {
            "mailchimp" => self.world.sandbox.mailchimp.faults(),
            _ => self.world.sandbox.webhook.faults(),
        }
    }

    fn calls(&self, vendor: &str) -> u64 {
        match vendor {
            "mailchimp" => self.world.sandbox.mailchimp.calls(),
            _ => self.world.sandbox.webhook.calls(),
        }
    }

    fn check(&self, end: &End) {
        for (vendor, expected) in &end.statuses {
            for (status, (fewest, most)) in expected {
                let records = &self.settled[vendor.as_str()];
                let found = records.iter().filter(|record| record.status == *status).count();
                assert!(
                    (*fewest..=*most).contains(&found),
                    "{vendor}: expected {fewest} to {most} events {status}, found {found}"
                );
            }
        }
        for (vendor, most) in &end.calls_at_most {
            let calls = self.calls(vendor);
            assert!(
                calls <= *most,
                "{vendor}: expected {most} calls at most, found {calls}"
            );
        }
        for (vendor, expected) in &end.created {
            for customer in self.customers.keys() {
                assert_eq!(
                    self.created(vendor, customer),
                    *expected,
                    "{vendor}: creations of {customer}"
                );
            }
        }
    }

    fn created(&self, vendor: &str, customer: &str) -> u64 {
        let created = match vendor {
            "mailchimp" => {
                let writes = self.world.sandbox.mailchimp.history(LIST, &address(customer));
                writes
                    .iter()
                    .filter(|write| write.kind == WriteKind::Created)
                    .count()
            }
            _ => self.world.sandbox.webhook.history_of(customer).len(),
        };
        u64::try_from(created).unwrap()
    }
}

fn address(customer: &str) -> String {
    format!("{customer}@mail.example")
}

fn misbehaviour(fault: Fault) -> Misbehaviour {
    match fault {
        Fault::Unavailable => Misbehaviour::Status(503),
        Fault::Failing => Misbehaviour::Status(500),
        Fault::TooManyRequests => Misbehaviour::TooManyRequests { retry_after: None },
        Fault::Deauthorized => Misbehaviour::Status(401),
        Fault::Refused => Misbehaviour::Status(400),
        Fault::AcceptThenCut => Misbehaviour::AcceptThenCut,
        Fault::Cut => Misbehaviour::CutConnection,
    }
}
