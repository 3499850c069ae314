//! The relay's way back: a stock push and its answer (`POST <store>/wp-json/wc-nexpura/v1/stock`).

use serde::{Deserialize, Serialize};

/// At most this many pushes a request.
pub const MAX_PUSHES: usize = 100;

/// The body of a stock push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockPushes {
    /// In any order; each stands for itself.
    pub pushes: Vec<StockPush>,
}

/// One change of one stock, added by the shop in one UPDATE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockPush {
    /// Its identity for ever (a UUID).
    pub push_id: String,
    /// Its place among this listing's pushes, from 1 on, without gaps.
    pub push_no: u64,
    /// The product or variation that owns the stock.
    pub stock_id: u64,
    /// What to add, a decimal number as text, such as `"-1"` or `"2.5"`.
    pub delta: String,
}

/// What became of one stock push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StockVerdict {
    /// The stock has it now.
    Applied,
    /// The stock had it before.
    Duplicate,
    /// A push number before it is missing: a restored copy of the shop's database.
    OutOfOrder,
    /// WooCommerce does not manage this stock.
    Unmanaged,
    /// There is no such product.
    Missing,
    /// It could not be done; it may be tried again.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_are_snake_case_on_the_wire() {
        assert_eq!(serde_json::to_string(&StockVerdict::OutOfOrder).unwrap(), "\"out_of_order\"");
    }
}
