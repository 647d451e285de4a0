//! What can be asked.

#![expect(clippy::unused_async, reason = "the schema takes asynchronous resolvers only")]

use async_graphql::{
    Context, EmptyMutation, EmptySubscription, Enum, Error, ErrorExtensions, ID, Object, SimpleObject,
};

use super::{NewShortlist, Store, lock};

pub(super) type Schema = async_graphql::Schema<Query, EmptyMutation, EmptySubscription>;

pub(super) fn schema(store: Store) -> Schema {
    Schema::build(Query, EmptyMutation, EmptySubscription)
        .data(store)
        .limit_depth(8)
        .finish()
}

pub(super) struct Query;

#[Object]
impl Query {
    /// A saved list; null if there is none.
    async fn shortlist(&self, context: &Context<'_>, id: ID) -> async_graphql::Result<Option<Shortlist>> {
        let mut state = lock(&context.data::<Store>()?.0);
        *state.reads.entry(id.to_string()).or_default() += 1;
        Ok(state.lists.get(id.as_str()).and_then(|kept| {
            kept.list.clone().map(|list| Shortlist {
                list,
                revision: kept.revision,
                has_prices: !state.without_prices,
            })
        }))
    }
}

struct Shortlist {
    list: NewShortlist,
    revision: u64,
    has_prices: bool,
}

#[Object]
impl Shortlist {
    async fn id(&self) -> ID {
        ID(self.list.id.clone())
    }

    async fn user_id(&self) -> ID {
        ID(self.list.user_id.clone())
    }

    /// Counts up.
    async fn revision(&self) -> u64 {
        self.revision
    }

    async fn name(&self) -> Option<&str> {
        self.list.name.as_deref()
    }

    async fn items(&self) -> Vec<Item> {
        let item = |sku: &String| Item {
            sku: sku.clone(),
            has_price: self.has_prices,
        };
        self.list.items.iter().map(item).collect()
    }
}

struct Item {
    sku: String,
    has_price: bool,
}

#[Object]
impl Item {
    async fn sku(&self) -> &str {
        &self.sku
    }

    /// From another service, which may be down.
    async fn price(&self) -> async_graphql::Result<Option<Price>> {
        if self.has_price {
            Ok(Some(Price {
                amount: "12.50".to_owned(),
                currency: Currency::Eur,
            }))
        } else {
            let error = Error::new("the price service does not answer");
            Err(error.extend_with(|_, extensions| extensions.set("code", "PRICES_UNAVAILABLE")))
        }
    }
}

#[derive(SimpleObject)]
struct Price {
    amount: String,
    currency: Currency,
}

#[derive(Enum, Clone, Copy, PartialEq, Eq)]
enum Currency {
    Eur,
}
