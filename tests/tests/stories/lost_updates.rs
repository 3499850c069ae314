//! Eight buyers empty twenty scarce stocks while the ledger sells, receives and puts right the same ones: no unit is lost.

mod busy_day;
mod by_additions;
mod by_values;
