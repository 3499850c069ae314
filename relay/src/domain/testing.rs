//! What the tests of this folder share: recorded representations, and ways to break them.

use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Value, json};

/// A representation recorded from a real shop.
pub(super) fn fixture(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let text = std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Any JSON there is, with a liking for what hurts.
pub(super) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "-?[0-9]{1,22}(\\.[0-9]{0,9})?(e-?[0-9]{1,4})?".prop_map(Value::from),
        prop::sample::select(vec![
            json!("-9223372036854.775808"),
            json!("9223372036854.775807"),
            json!("-"),
            json!("\u{0}"),
            json!(-0.0),
            json!(1e308),
            json!("0000-00-00"),
            json!("parent"),
        ]),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let key = prop_oneof![
            "[a-z_]{0,8}",
            prop::sample::select(vec!["id", "key", "value", "meta_data", "0", "7"])
                .prop_map(str::to_owned),
        ];
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((key, inner), 0..5).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Something that goes wrong with a representation on its way.
#[derive(Debug, Clone)]
pub(super) struct Damage {
    steps: Vec<Index>,
    /// What stands there afterwards; nothing, to take it away.
    instead: Option<Value>,
}

pub(super) fn any_damage() -> impl Strategy<Value = Damage> {
    (vec(any::<Index>(), 1..5), prop::option::of(any_json()))
        .prop_map(|(steps, instead)| Damage { steps, instead })
}

impl Damage {
    pub(super) fn apply(&self, value: &mut Value) {
        let mut here = value;
        for (at, step) in self.steps.iter().enumerate() {
            let last = at + 1 == self.steps.len();
            match here {
                Value::Object(fields) if !fields.is_empty() => {
                    let key = fields.keys().nth(step.index(fields.len())).unwrap().clone();
                    if last && self.instead.is_none() {
                        fields.remove(&key);
                        return;
                    }
                    here = fields.get_mut(&key).unwrap();
                }
                Value::Array(items) if !items.is_empty() => {
                    let index = step.index(items.len());
                    if last && self.instead.is_none() {
                        items.remove(index);
                        return;
                    }
                    here = &mut items[index];
                }
                _ => break,
            }
        }
        if let Some(instead) = &self.instead {
            *here = instead.clone();
        }
    }
}
