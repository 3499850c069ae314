//! Reads what PHP code passed, whatever it is, without ever complaining about it.
#![allow(unsafe_code)]

use ext_php_rs::{types::Zval, zend::ExecuteData};

/// The arguments of one call.
pub(crate) struct Arguments<'a>(&'a ExecuteData);

impl<'a> Arguments<'a> {
    pub(crate) fn of(call: &'a ExecuteData) -> Self {
        Self(call)
    }

    /// The argument at `index`; nothing when it was not passed.
    fn value(&self, index: usize) -> Option<&'a Zval> {
        // SAFETY: every member of the union `u2` is a u32, and in a call frame it counts the arguments.
        let passed = unsafe { self.0.This.u2.num_args } as usize;
        if index >= passed {
            return None;
        }
        // SAFETY: `index` is below the number of arguments in this frame, which outlives the borrow.
        let value: &Zval = unsafe { self.0.zend_call_arg(index) }?;
        Some(value.dereference())
    }

    /// Text, or a number written as text. Not an object: its `__toString` could run or throw anything.
    pub(crate) fn text(&self, index: usize) -> Option<String> {
        let value = self.value(index)?;
        if let Some(bytes) = value.zend_str() {
            return std::str::from_utf8(bytes.as_bytes()).ok().map(str::to_owned);
        }
        value.long().map(|number| number.to_string())
    }

    /// A whole number, also as text or as a float without a fraction.
    pub(crate) fn number(&self, index: usize) -> Option<i64> {
        let value = self.value(index)?;
        if let Some(number) = value.long() {
            return Some(number);
        }
        if let Some(number) = value.double() {
            // Every whole number up to 2^53 is exact in a float; ids beyond that do not exist.
            let whole = number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0;
            #[allow(clippy::cast_possible_truncation)]
            return whole.then_some(number as i64);
        }
        self.text(index)?.trim().parse().ok()
    }
}
