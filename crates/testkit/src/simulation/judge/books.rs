//! What a billing system must hold: one charge per document, one reversal if it is cancelled, and balances to the cent.

use vendorbridge::ledger::{EntityRecord, Status};

use super::nothing_fails_but_vendors;
use crate::simulation::agenda::micros;
use crate::simulation::profile::Weather;
use crate::simulation::vendor::{Kind, Role, amount, is_refused, role};
use crate::simulation::verdict::Rule;
use crate::simulation::world::World;

type Broken = Option<(Rule, String)>;

/// A document is charged. A payment may not be while the process knew that its invoice waits; before it, it may: nobody knew.
pub(crate) fn charged(world: &mut World, unit: usize, container: usize, entity: usize) {
    let family = world.profile.family;
    let Role::Document {
        pays: Some(invoice), ..
    } = role(entity, family)
    else {
        return;
    };
    let vendor = &world.units[unit];
    let waits_since = vendor
        .records
        .row(invoice)
        .filter(|row| row.record.status == Status::Parked)
        .map(|row| micros(row.record.settled_at));
    let began = vendor
        .mapping
        .running
        .get(&container)
        .map(|process| process.started);
    if let (Some(since), Some(began)) = (waits_since, began)
        && since < began
    {
        let what = "a payment is booked though it was known that its invoice waits";
        world.violate(Rule::Waits, unit, Some(entity), what.to_owned());
    }
    let (paid, payment) = (world.source.get(invoice), world.source.get(entity));
    let is_later = match (paid.announced_at, payment.announced_at) {
        (Some(paid), Some(payment)) => paid < payment,
        _ => false,
    };
    let is_booked = world.units[unit].desk.books.bookings(invoice).next().is_some();
    let is_owed = is_later && !paid.is_cancelled() && !is_refused(&world.profile, invoice);
    if !is_owed {
        return;
    }
    world.stats.count("payments of invoices announced before");
    if !is_booked {
        world.stats.count(match world.profile.weather {
            Weather::Fair => "payments before their invoices: fair",
            Weather::Poison => "payments before their invoices: poison",
            Weather::Outage => "payments before their invoices: outage",
            Weather::Crashes => "payments before their invoices: crashes",
            Weather::Storm => "payments before their invoices: storm",
            Weather::Overrun => "payments before their invoices: overrun",
        });
    }
}

/// Whether a process that was given nothing but news of our own write-back calls for what stands at the vendor as it should.
pub(super) fn is_echo_called(world: &World, unit: usize, container: usize, entity: usize) -> bool {
    let vendor = &world.units[unit];
    if vendor.kind != Kind::Booking || !nothing_fails_but_vendors(world) {
        return false;
    }
    let truth = world.source.get(entity);
    let process = vendor.mapping.running.get(&container);
    let given = process.and_then(|process| process.given.iter().find(|given| given.entity == entity));
    let is_echo = given.is_some_and(|given| {
        given.only_fresh_echoes && given.was_settled == Some(true) && given.read == Some(truth.revision)
    });
    let books = &vendor.desk.books;
    is_echo
        && match role(entity, world.profile.family) {
            Role::Customer => {
                let mail = truth.state.unwrap_or_default().mail;
                books
                    .customers(entity)
                    .any(|(_, held)| held.card.map(|card| card.mail) == Some(mail))
            }
            Role::Document { .. } => !truth.is_cancelled() && books.bookings(entity).next().is_some(),
        }
}

/// What is wrong with an entity of a billing system at rest.
pub(super) fn broken(world: &World, unit: usize, entity: usize) -> Broken {
    let role = role(entity, world.profile.family);
    let is_overrun = world.profile.weather == Weather::Overrun;
    if role == Role::Customer
        && !is_overrun
        && let Some(broken) = balance_broken(world, unit, entity)
    {
        return Some(broken);
    }
    if world.source.get(entity).revision == 0 {
        return None;
    }
    let row = world.units[unit].records.row(entity);
    let Some(record) = row.map(|row| &row.record) else {
        return Some((Rule::NothingLost, "the ledger has no record of it".to_owned()));
    };
    if matches!(record.status, Status::Dead | Status::Parked) {
        let what = format!("nothing is wrong any more, and it stands {}", record.status);
        return Some((Rule::Converges, what));
    }
    if is_overrun {
        return None;
    }
    match role {
        Role::Customer => customer_broken(world, unit, entity, record),
        Role::Document { .. } => document_broken(world, unit, entity, record),
    }
}

fn document_broken(world: &World, unit: usize, entity: usize, record: &EntityRecord) -> Broken {
    let truth = world.source.get(entity);
    let books = &world.units[unit].desk.books;
    let numbers = |is_reversal| {
        let all = books.bookings(entity);
        all.filter(move |(_, booked)| booked.is_reversal == is_reversal)
            .map(|(number, _)| number)
            .collect::<Vec<_>>()
    };
    let (charges, reversals) = (numbers(false), numbers(true));
    let found = format!("{} charges, {} reversals", charges.len(), reversals.len());
    if record.status == Status::Excluded {
        let is_ours = matches!(record.rule.as_deref(), Some("cancelled" | "draft"));
        let is_held = !charges.is_empty();
        return (!is_ours || is_held).then(|| {
            let what = format!("kept out by {:?}, and the vendor has {found}", record.rule);
            (Rule::ExplainsItself, what)
        });
    }
    if is_refused(&world.profile, entity) {
        let is_told = record.status == Status::Rejected || truth.is_cancelled();
        return (!is_told || !charges.is_empty()).then(|| {
            let what = format!("refused for good; it stands {}, with {found}", record.status);
            (Rule::ExplainsItself, what)
        });
    }
    if record.status == Status::Rejected {
        let what = "nothing is wrong with it, and it stands REJECTED";
        return Some((Rule::Converges, what.to_owned()));
    }
    if truth.is_cancelled() {
        let is_even = charges.len() == reversals.len() && charges.len() <= 1;
        return (!is_even).then(|| (Rule::Converges, format!("cancelled, with {found}")));
    }
    if charges.len() != 1 || !reversals.is_empty() {
        return Some((Rule::Converges, format!("live, with {found}")));
    }
    unlinked(world, unit, entity, record, charges[0])
}

fn customer_broken(world: &World, unit: usize, entity: usize, record: &EntityRecord) -> Broken {
    let books = &world.units[unit].desk.books;
    let held: Vec<_> = books.customers(entity).collect();
    let [(number, customer)] = held[..] else {
        let what = format!("the vendor has {} customers of this name", held.len());
        return Some((Rule::NoDuplicates, what));
    };
    let mail = world.source.get(entity).state.unwrap_or_default().mail;
    if customer.card.map(|card| card.mail) != Some(mail) {
        let what = format!("the vendor has {:?}, the source has {mail}", customer.card);
        return Some((Rule::Converges, what));
    }
    unlinked(world, unit, entity, record, number)
}

/// A customer owes what its documents come to, whether or not it was ever announced itself.
fn balance_broken(world: &World, unit: usize, entity: usize) -> Broken {
    let family = world.profile.family;
    let is_owed = |document: &usize| {
        let record = world.units[unit].records.row(*document).map(|row| &row.record);
        let truth = world.source.get(*document);
        // Somebody may have asked for one that there is none of yet.
        record.is_some_and(|record| record.status != Status::Excluded)
            && truth.revision > 0
            && !truth.is_cancelled()
            && !is_refused(&world.profile, *document)
    };
    let documents = (entity + 1)..(entity + family).min(world.keys.len());
    let owed: i64 = documents
        .filter(is_owed)
        .map(|document| amount(document, family))
        .sum();
    let balance = world.units[unit].desk.books.balance(entity);
    (balance != owed).then(|| {
        let what = format!("owes {balance} at the vendor, {owed} at the source");
        (Rule::Converges, what)
    })
}

/// Both sides must know each other's id, as must the ledger.
fn unlinked(world: &World, unit: usize, entity: usize, record: &EntityRecord, number: u64) -> Broken {
    let (ledger, source) = (record.link.as_deref(), world.source.get(entity).link(unit));
    let is_linked = ledger == Some(format!("r-{number}").as_str()) && source == Some(number);
    (!is_linked).then(|| {
        let what = format!("r-{number} at the vendor, {ledger:?} in the ledger, {source:?} at the source");
        (Rule::Converges, what)
    })
}
