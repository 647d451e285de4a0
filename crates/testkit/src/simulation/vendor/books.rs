//! The books of a billing system: customers with unique names, and bookings that stand as often as they are made.
//!
//! Entities come in families: a customer, and its documents behind it. Of those every second pays the one before it.

use super::Answer;
use crate::simulation::agenda::Micros;
use crate::simulation::judge;
use crate::simulation::profile::Profile;
use crate::simulation::verdict::Rule;
use crate::simulation::world::World;

use super::desk::VISIBLE_AFTER;

/// What an entity is to a billing system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Whom documents belong to.
    Customer,
    /// What is booked.
    Document {
        /// Whose it is.
        customer: usize,
        /// The invoice that it pays, if it is a payment.
        pays: Option<usize>,
    },
}

/// What an entity is, in families of this size.
pub(crate) fn role(entity: usize, family: usize) -> Role {
    let place = entity % family;
    if place == 0 {
        return Role::Customer;
    }
    Role::Document {
        customer: entity - place,
        pays: place.is_multiple_of(2).then(|| entity - 1),
    }
}

/// What a document is about, in cents: an invoice is owed, a payment is not any more.
pub(crate) fn amount(entity: usize, family: usize) -> i64 {
    let amount = 100 + i64::try_from(entity).unwrap_or(0) * 37 % 9_973;
    match role(entity, family) {
        Role::Document { pays: Some(_), .. } => -amount,
        _ => amount,
    }
}

/// Documents that the vendor never takes.
pub(crate) fn is_refused(profile: &Profile, entity: usize) -> bool {
    profile.refusals && entity % 11 == 7
}

/// What a billing system keeps.
#[derive(Debug, Default)]
pub(crate) struct Books {
    customers: Vec<Customer>,
    bookings: Vec<Booked>,
    /// The numbers of each entity's bookings.
    of: std::collections::HashMap<usize, Vec<usize>>,
}

/// A customer at the vendor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Customer {
    /// Its name there: our id.
    pub(crate) entity: usize,
    /// What is known of it.
    pub(crate) card: Option<Kept>,
}

/// What is known of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Its address.
    pub(crate) mail: u8,
    /// The source's revision: known to the judge only.
    pub(crate) revision: u64,
}

/// A booking.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Booked {
    /// For which document.
    pub(crate) entity: usize,
    /// To whose account: the customer's place.
    customer: usize,
    /// Cents.
    amount: i64,
    /// Takes back another.
    pub(crate) is_reversal: bool,
    /// Not found before.
    visible_at: Micros,
}

/// What a billing system is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Order {
    /// The number of the customer of this name.
    FindCustomer { customer: usize },
    /// A new customer.
    Create { customer: usize, card: Option<Kept> },
    /// Another address.
    Update { customer: u64, card: Kept },
    /// A booking to a customer's account.
    Charge { customer: u64 },
    /// The opposite of a booking.
    Reverse { charge: u64 },
    /// The number of the booking with our reference.
    Find { is_reversal: bool },
}

impl Books {
    /// The bookings of a document, with their numbers, in their order.
    pub(crate) fn bookings(&self, entity: usize) -> impl Iterator<Item = (u64, &Booked)> {
        let places = self.of.get(&entity).into_iter().flatten();
        places.filter_map(|place| Some((as_number(*place), self.bookings.get(*place)?)))
    }

    /// All bookings, in their order.
    pub(crate) fn all(&self) -> &[Booked] {
        &self.bookings
    }

    /// The customers of this name, with their numbers.
    pub(crate) fn customers(&self, entity: usize) -> impl Iterator<Item = (u64, &Customer)> {
        let all = self.customers.iter().enumerate();
        all.filter(move |(_, customer)| customer.entity == entity)
            .map(|(place, customer)| (as_number(place), customer))
    }

    /// What a customer owes, in cents.
    pub(crate) fn balance(&self, entity: usize) -> i64 {
        let is_theirs = |booked: &&Booked| self.customers[booked.customer].entity == entity;
        self.bookings
            .iter()
            .filter(is_theirs)
            .map(|booked| booked.amount)
            .sum()
    }

    fn book(&mut self, booked: Booked) -> u64 {
        let place = self.bookings.len();
        self.bookings.push(booked);
        self.of.entry(booked.entity).or_default().push(place);
        as_number(place)
    }
}

/// Serves an order about an entity; answers with the HTTP status if it refuses.
pub(crate) fn serve(
    world: &mut World,
    unit: usize,
    container: usize,
    entity: usize,
    order: Order,
) -> Result<Answer, u16> {
    let now = world.agenda.now();
    let family = world.profile.family;
    let books = &mut world.units[unit].desk.books;
    match order {
        Order::FindCustomer { customer } => {
            let found = books.customers(customer).next();
            Ok(found.map_or(Answer::Nothing, |(number, _)| Answer::Key(number)))
        }
        Order::Create { customer, card } => {
            if books.customers(customer).next().is_some() {
                world.stats.count("customers refused as there already");
                return Ok(Answer::Nothing);
            }
            books.customers.push(Customer {
                entity: customer,
                card,
            });
            let number = as_number(books.customers.len() - 1);
            if let Some(card) = card {
                judge::applied(world, unit, customer, card.revision);
            }
            Ok(Answer::Key(number))
        }
        Order::Update { customer, card } => {
            let customer = as_place(customer).and_then(|place| books.customers.get_mut(place));
            customer.ok_or(404_u16)?.card = Some(card);
            judge::applied(world, unit, entity, card.revision);
            Ok(Answer::Done)
        }
        Order::Charge { customer } => {
            let customer = as_place(customer).filter(|place| *place < books.customers.len());
            let customer = customer.ok_or(404_u16)?;
            if is_refused(&world.profile, entity) {
                return Err(400);
            }
            judge::charged(world, unit, container, entity);
            let booked = Booked {
                entity,
                customer,
                amount: amount(entity, family),
                is_reversal: false,
                visible_at: now + world.rng.u64(0..VISIBLE_AFTER),
            };
            Ok(Answer::Key(booked_once(world, unit, booked)))
        }
        Order::Reverse { charge } => {
            let charge = as_place(charge)
                .and_then(|place| books.bookings.get(place))
                .copied();
            let charge = charge.filter(|charge| charge.entity == entity && !charge.is_reversal);
            let charge = charge.ok_or(404_u16)?;
            let booked = Booked {
                amount: -charge.amount,
                is_reversal: true,
                visible_at: now + world.rng.u64(0..VISIBLE_AFTER),
                ..charge
            };
            Ok(Answer::Key(booked_once(world, unit, booked)))
        }
        Order::Find { is_reversal } => {
            let mut bookings = books.bookings(entity);
            let found =
                bookings.find(|(_, booked)| booked.is_reversal == is_reversal && booked.visible_at <= now);
            Ok(found.map_or(Answer::Nothing, |(number, _)| Answer::Key(number)))
        }
    }
}

fn booked_once(world: &mut World, unit: usize, booked: Booked) -> u64 {
    let Booked {
        entity, is_reversal, ..
    } = booked;
    world
        .stats
        .count(if is_reversal { "reversals" } else { "charges" });
    let books = &mut world.units[unit].desk.books;
    let number = books.book(booked);
    let many = books
        .bookings(entity)
        .filter(|(_, other)| other.is_reversal == is_reversal)
        .count();
    if many > 1 {
        judge::promised_by_lanes(world, Rule::NoDuplicates, unit, entity, || {
            let what = if is_reversal { "reversal" } else { "charge" };
            format!("a {what} is booked {many} times")
        });
    }
    number
}

/// Numbers start at 1.
fn as_number(place: usize) -> u64 {
    place as u64 + 1
}

fn as_place(number: u64) -> Option<usize> {
    usize::try_from(number).ok()?.checked_sub(1)
}
