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
            json!("a\u{0}b"),
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
        apply(&self.steps, self.instead.as_ref(), value);
    }
}

fn apply(steps: &[Index], instead: Option<&Value>, here: &mut Value) {
    let Some((step, deeper)) = steps.split_first() else {
        if let Some(instead) = instead {
            *here = instead.clone();
        }
        return;
    };
    let takes_away = deeper.is_empty() && instead.is_none();
    match here {
        Value::Object(fields) if !fields.is_empty() => {
            let key = fields.keys().nth(step.index(fields.len())).unwrap().clone();
            if takes_away {
                fields.remove(&key);
            } else {
                apply(deeper, instead, &mut fields[&key]);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            let index = step.index(items.len());
            if takes_away {
                items.remove(index);
            } else {
                apply(deeper, instead, &mut items[index]);
            }
        }
        // Nothing lies deeper: it goes wrong here.
        scalar => apply(&[], instead, scalar),
    }
}
