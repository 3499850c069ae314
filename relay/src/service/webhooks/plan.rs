//! What has to be done so that a store has exactly one sound webhook of ours a topic.

use super::TOPICS;
use crate::channel::woocommerce::Webhook;

/// What there is, and what is to be done.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Sound ones.
    pub(super) keep: Vec<Webhook>,
    /// To be put right, as they are now.
    pub(super) update: Vec<Webhook>,
    /// Topics without one.
    pub(super) create: Vec<String>,
    /// Superfluous ones.
    pub(super) delete: Vec<u64>,
}

impl Plan {
    /// `ours` are those that this relay has made, `url` is where they are to deliver; with `rewrite`
    /// even sound ones get the secret, which nobody can read back.
    pub(super) fn of(ours: Vec<Webhook>, url: &str, rewrite: bool) -> Self {
        let mut plan = Self::default();
        let mut left = ours;
        for topic in TOPICS.map(|topic| topic.to_string()) {
            let (mut same, others): (Vec<_>, Vec<_>) =
                left.into_iter().partition(|webhook| webhook.topic == topic);
            left = others;
            // The soundest one stays; of equals the oldest.
            same.sort_by_key(|webhook| (!is_sound(webhook, url), webhook.id));
            let mut same = same.into_iter();
            match same.next() {
                Some(webhook) if is_sound(&webhook, url) && !rewrite => plan.keep.push(webhook),
                Some(webhook) => plan.update.push(webhook),
                None => plan.create.push(topic),
            }
            plan.delete.extend(same.map(|webhook| webhook.id));
        }
        plan.delete.extend(left.into_iter().map(|webhook| webhook.id));
        plan
    }

    /// Why deliveries may have been missed, for people; nothing where none can have been.
    pub(super) fn what_was_wrong(&self, url: &str) -> Option<String> {
        let count = |found: usize, what: &str| (found > 0).then(|| format!("{found} {what}"));
        let disabled = self.update.iter().filter(|webhook| webhook.status == "disabled").count();
        let paused = self.update.iter().filter(|webhook| webhook.status == "paused").count();
        let moved = self.update.iter().filter(|webhook| webhook.delivery_url != url).count();
        let found: Vec<_> = [
            count(disabled, "switched off by WooCommerce after failed deliveries"),
            count(paused, "paused"),
            count(moved, "delivering elsewhere"),
            count(self.create.len(), "gone"),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!found.is_empty()).then(|| found.join(", "))
    }
}

/// Whether a webhook delivers what it should to where it should.
pub(super) fn is_sound(webhook: &Webhook, url: &str) -> bool {
    webhook.status == "active" && webhook.delivery_url == url
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://relay.example/hook";

    fn webhook(id: u64, topic: &str, url: &str, status: &str) -> Webhook {
        Webhook {
            id,
            topic: topic.to_owned(),
            delivery_url: url.to_owned(),
            status: status.to_owned(),
        }
    }

    fn all() -> Vec<Webhook> {
        (1..)
            .zip(TOPICS)
            .map(|(id, topic)| webhook(id, &topic.to_string(), URL, "active"))
            .collect()
    }

    #[test]
    fn an_empty_store_gets_one_a_topic() {
        let plan = Plan::of(Vec::new(), URL, false);
        assert_eq!(plan.create.len(), 11);
        assert_eq!((plan.update.len(), plan.delete.len(), plan.keep.len()), (0, 0, 0));
        assert_eq!(plan.what_was_wrong(URL).unwrap(), "11 gone");
    }

    #[test]
    fn sound_ones_stay_as_they_are_unless_the_secret_is_new() {
        let plan = Plan::of(all(), URL, false);
        assert_eq!(plan, Plan { keep: all(), ..Plan::default() });
        assert_eq!(plan.what_was_wrong(URL), None);
        let plan = Plan::of(all(), URL, true);
        assert_eq!(plan.update, all());
        assert_eq!(plan.what_was_wrong(URL), None);
    }

    #[test]
    fn what_is_off_elsewhere_or_twice_is_put_right() {
        let mut ours = all();
        ours[0].status = "disabled".to_owned();
        ours[1].delivery_url = "https://old.example/hook".to_owned();
        ours[2].status = "paused".to_owned();
        ours.remove(3);
        ours.push(webhook(20, "product.created", "https://old.example/hook", "active"));
        ours.push(webhook(21, "coupon.created", URL, "active"));
        let plan = Plan::of(ours, URL, false);
        assert_eq!(plan.update.iter().map(|webhook| webhook.id).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(plan.create, ["order.restored"]);
        assert_eq!(plan.delete, [20, 21]);
        assert_eq!(
            plan.what_was_wrong(URL).unwrap(),
            "1 switched off by WooCommerce after failed deliveries, 1 paused, 1 delivering elsewhere, 1 gone"
        );
    }

    #[test]
    fn of_two_the_sound_one_stays() {
        let ours = vec![
            webhook(1, "order.created", URL, "disabled"),
            webhook(2, "order.created", URL, "active"),
        ];
        let plan = Plan::of(ours, URL, false);
        assert_eq!(plan.keep[0].id, 2);
        assert_eq!(plan.delete, [1]);
    }
}
