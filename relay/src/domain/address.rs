//! A postal address, with who lives there.

use serde::{Deserialize, Serialize};

use super::{MappingError, limits, read::Object};

/// A billing or shipping address, in WooCommerce's own parts. Empty parts are empty texts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Address {
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// Company.
    pub company: String,
    /// Street, first line.
    pub address_1: String,
    /// Street, second line.
    pub address_2: String,
    /// City.
    pub city: String,
    /// State or region, as the shop writes it.
    pub state: String,
    /// Postal code.
    pub postcode: String,
    /// Country, usually as its two-letter code.
    pub country: String,
    /// Telephone number.
    pub phone: String,
}

impl Address {
    pub(super) fn read(object: Object<'_, '_>) -> Result<Self, MappingError> {
        let text = |key| object.text(key, limits::MAX_NAME);
        Ok(Self {
            first_name: text("first_name")?,
            last_name: text("last_name")?,
            company: text("company")?,
            address_1: text("address_1")?,
            address_2: text("address_2")?,
            city: text("city")?,
            state: text("state")?,
            postcode: text("postcode")?,
            country: text("country")?,
            phone: text("phone")?,
        })
    }

    /// The person's name, or else the company's; empty where there is neither.
    #[must_use]
    pub fn name(&self) -> String {
        let person = format!("{} {}", self.first_name, self.last_name);
        let person = person.trim();
        if person.is_empty() { self.company.clone() } else { person.to_owned() }
    }

    /// Whether every part is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
