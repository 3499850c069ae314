//! A registered customer of a shop.

use serde::Serialize;
use serde_json::Value;

use super::{
    Address, Email, MappingError, limits,
    read::{Object, yes_or_no},
};

/// Where shops keep whether a customer agreed to marketing. WooCommerce itself has no such field:
/// the first is Mailchimp for WooCommerce's, the others are what shops call their own.
const CONSENT_METAS: [&str; 5] = [
    "mailchimp_woocommerce_is_subscribed",
    "marketing_consent",
    "_marketing_consent",
    "marketing_opt_in",
    "accepts_marketing",
];

/// A customer as the shop knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Customer {
    /// WooCommerce's user id.
    pub id: u64,
    /// What customers are matched by; `None` where the shop's text is no address.
    pub email: Option<Email>,
    /// Given name, from the account or else the billing address.
    pub first_name: String,
    /// Family name, likewise.
    pub last_name: String,
    /// Company of the billing address.
    pub company: String,
    /// Telephone number of the billing address.
    pub phone: String,
    /// Where bills go.
    pub billing: Address,
    /// Where goods go.
    pub shipping: Address,
    /// Whether they agreed to marketing; `None` where the shop does not say so clearly.
    pub marketing_consent: Option<bool>,
    /// Whether they ever paid for an order.
    pub is_paying: bool,
}

impl Customer {
    /// From WooCommerce's REST v3 representation of a customer.
    ///
    /// # Errors
    /// The id is missing or wrong, or something is of a kind that cannot be read.
    pub fn read(payload: &Value) -> Result<Self, MappingError> {
        let customer = Object::root(payload, "customer")?;
        let billing = customer.inner("billing", Address::read)?;
        let shipping = customer.inner("shipping", Address::read)?;
        let email = match email(customer)? {
            Some(email) => Some(email),
            None => customer.inner("billing", email)?,
        };
        let own = |key| customer.text(key, limits::MAX_NAME);
        let (mut first_name, mut last_name) = (own("first_name")?, own("last_name")?);
        // Both or neither: half an account's name and half a bill's may be two people.
        if first_name.is_empty() && last_name.is_empty() {
            first_name.clone_from(&billing.first_name);
            last_name.clone_from(&billing.last_name);
        }
        Ok(Self {
            id: customer.id("id")?,
            email,
            first_name,
            last_name,
            company: billing.company.clone(),
            phone: billing.phone.clone(),
            billing,
            shipping,
            marketing_consent: consent(customer)?,
            is_paying: customer.flag("is_paying_customer")?.unwrap_or(false),
        })
    }
}

/// An object's e-mail address; a text that is none is no reason to refuse the rest.
pub(super) fn email(object: Object<'_, '_>) -> Result<Option<Email>, MappingError> {
    Ok(Email::parse(&object.text("email", limits::MAX_NAME)?).ok())
}

/// Only a clear answer counts, and a no outweighs any yes.
fn consent(customer: Object<'_, '_>) -> Result<Option<bool>, MappingError> {
    let mut told = None;
    for key in CONSENT_METAS {
        for value in [customer.meta(key)?, customer.get(key)].into_iter().flatten() {
            // An empty text is an unanswered question, not a no.
            if value.as_str().is_some_and(|text| text.trim().is_empty()) {
                continue;
            }
            match yes_or_no(value) {
                Some(false) => return Ok(Some(false)),
                Some(true) => told = Some(true),
                None => {}
            }
        }
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::domain::testing;

    #[test]
    fn recorded_customers_are_read() {
        let recorded = testing::fixture("customers.json");
        let ana = Customer::read(&recorded[0]).unwrap();
        assert_eq!(ana.id, 2);
        assert_eq!(ana.email.unwrap().as_str(), "ana@example.test");
        assert_eq!((ana.first_name.as_str(), ana.last_name.as_str()), ("Ana", "Li"));
        assert_eq!(ana.phone, "0400");
        assert_eq!((ana.marketing_consent, ana.is_paying), (None, false));
        assert!(ana.shipping.is_empty());
        let bo = Customer::read(&recorded[1]).unwrap();
        assert_eq!((bo.id, bo.first_name.as_str(), bo.last_name.as_str()), (3, "Bo", ""));
    }

    #[test]
    fn names_and_address_fall_back_to_the_bill() {
        let customer = Customer::read(&json!({
            "id": "7", "email": "none", "first_name": null,
            "billing": {"first_name": "Ana", "last_name": "Li", "email": "ANA@x.test", "company": 7},
            "shipping": [],
        }))
        .unwrap();
        assert_eq!((customer.first_name.as_str(), customer.last_name.as_str()), ("Ana", "Li"));
        assert_eq!(customer.email.unwrap().as_str(), "ana@x.test");
        assert_eq!(customer.company, "7");
    }

    #[test]
    fn consent_is_never_guessed() {
        let consent = |metas: serde_json::Value| {
            Customer::read(&json!({"id": 1, "meta_data": metas})).unwrap().marketing_consent
        };
        let meta = |key: &str, value: serde_json::Value| json!({"key": key, "value": value});
        assert_eq!(consent(json!([])), None);
        assert_eq!(consent(json!([meta("marketing_consent", json!("yes"))])), Some(true));
        assert_eq!(consent(json!([meta("marketing_consent", json!("perhaps"))])), None);
        assert_eq!(consent(json!([meta("marketing_consent", json!(""))])), None);
        assert_eq!(consent(json!([meta("other_newsletter", json!("yes"))])), None);
        let both = json!([
            meta("accepts_marketing", json!("0")),
            meta("mailchimp_woocommerce_is_subscribed", json!("1")),
        ]);
        assert_eq!(consent(both), Some(false));
        let both = json!([
            meta("accepts_marketing", json!(true)),
            meta("mailchimp_woocommerce_is_subscribed", json!("0")),
        ]);
        assert_eq!(consent(both), Some(false));
    }

    #[test]
    fn errors_hold_no_personal_data() {
        let error = Customer::read(&json!({"id": 1, "first_name": {"secret": "Ana"}})).unwrap_err();
        assert_eq!(error.to_string(), "customer.first_name: expected a text, found an object");
        assert!(Customer::read(&json!({"email": "a@b"})).is_err());
        assert!(Customer::read(&json!([])).is_err());
    }

    proptest! {
        #[test]
        fn no_json_makes_it_panic(value in testing::any_json(), damage in testing::any_damage()) {
            let _ = Customer::read(&value);
            let mut recorded = testing::fixture("customers.json")[0].clone();
            damage.apply(&mut recorded);
            let _ = Customer::read(&recorded);
        }
    }
}
