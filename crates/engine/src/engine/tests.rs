use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn what_is_given_back_is_of_the_batch_and_loses_no_tail(
        batch in prop::collection::vec((0_u8..4, any::<bool>()), 0..12)
    ) {
        let deliveries: Vec<_> = batch
            .iter()
            .enumerate()
            .map(|(at, (group, _))| Delivery {
                trace_header: None,
                message_id: format!("m{at}"),
                receipt: String::new(),
                group: group.to_string(),
                receive_count: 1,
                body: String::new(),
            })
            .collect();
        let returned: Vec<_> = batch.iter().map(|(_, returned)| *returned).collect();
        let ids = again(&deliveries, &returned);
        prop_assert!(ids.iter().all(|id| deliveries.iter().any(|delivery| delivery.message_id == *id)));
        for (at, delivery) in deliveries.iter().enumerate() {
            let behind = (0..=at).any(|earlier| returned[earlier] && deliveries[earlier].group == delivery.group);
            prop_assert_eq!(ids.contains(&delivery.message_id), behind);
        }
    }
}
