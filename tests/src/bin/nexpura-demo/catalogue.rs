//! What the demo's jeweller sells.

use anyhow::Result;
use nexpura_tests::shop::Shop;
use serde_json::{Value, json};

/// A piece of jewellery.
pub(crate) struct Piece {
    pub(crate) sku: &'static str,
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) price: &'static str,
    /// None: made to order, its stock is not counted.
    pub(crate) stock: Option<i64>,
    /// The drawing's name in `tests/wordpress/demo/draw.php`.
    pub(crate) picture: &'static str,
}

/// Pieces that come in one size.
pub(crate) const PIECES: &[Piece] = &[
    Piece {
        sku: "AUR-RING",
        name: "Aurora solitaire ring",
        description: "One of a kind: a brilliant of 1.2 ct on yellow gold.",
        price: "4850.00",
        stock: Some(1),
        picture: "aurora",
    },
    Piece {
        sku: "VER-RING",
        name: "Verdant emerald ring",
        description: "An oval emerald from Muzo, four claws of gold.",
        price: "2390.00",
        stock: Some(3),
        picture: "verdant",
    },
    Piece {
        sku: "TID-PEND",
        name: "Tide sapphire pendant",
        description: "A deep blue sapphire framed in white gold.",
        price: "1280.00",
        stock: Some(5),
        picture: "tide",
    },
    Piece {
        sku: "EMB-PEND",
        name: "Ember ruby pendant",
        description: "A ruby of the colour of coals, on a gold chain.",
        price: "1490.00",
        stock: Some(4),
        picture: "ember",
    },
    Piece {
        sku: "LUN-EAR",
        name: "Luna pearl earrings",
        description: "A pair of South Sea pearls under small brilliants.",
        price: "640.00",
        stock: Some(12),
        picture: "luna",
    },
    Piece {
        sku: "HAL-BANG",
        name: "Halo bangle",
        description: "Polished sterling silver, hinged.",
        price: "210.00",
        stock: Some(20),
        picture: "halo",
    },
    Piece {
        sku: "THR-CHAIN",
        name: "Thread chain, made to order",
        description: "18 ct gold links, made to the length you wish.",
        price: "980.00",
        stock: None,
        picture: "thread",
    },
];

/// The band that comes in sizes, each with a stock of its own.
pub(crate) const BAND: (&str, &str, &str) = ("MER-BAND", "Meridian wedding band", "890.00");
/// Its sizes: SKU, size, stock.
pub(crate) const BAND_SIZES: &[(&str, &str, i64)] =
    &[("MER-BAND-52", "52", 2), ("MER-BAND-54", "54", 4), ("MER-BAND-56", "56", 3)];

/// Fills the shop; gives the id of what is bought by SKU.
pub(crate) async fn fill(shop: &Shop, pictures: &std::path::Path) -> Result<Vec<(String, u64)>> {
    let mut ids = Vec::new();
    for piece in PIECES {
        let id: u64 = shop
            .call(
                "add_product",
                json!({
                    "sku": piece.sku,
                    "name": piece.name,
                    "description": piece.description,
                    "price": piece.price,
                    "stock": piece.stock,
                    "picture": pictures.join(format!("{}.png", piece.picture)),
                }),
            )
            .await?;
        ids.push((piece.sku.to_owned(), id));
    }
    let (sku, name, price) = BAND;
    let sizes: Vec<Value> = BAND_SIZES
        .iter()
        .map(|(sku, size, stock)| json!({ "sku": sku, "size": size, "stock": stock }))
        .collect();
    let made: Value = shop
        .call(
            "add_variable_product",
            json!({
                "sku": sku,
                "name": name,
                "price": price,
                "stock": null,
                "variations": sizes,
                "picture": pictures.join("meridian.png"),
            }),
        )
        .await?;
    let variations: Vec<u64> = serde_json::from_value(made["variations"].clone())?;
    ids.extend(BAND_SIZES.iter().map(|(sku, ..)| (*sku).to_owned()).zip(variations));
    Ok(ids)
}

/// The SKUs whose stock is counted, with the count that the shop opens with.
pub(crate) fn counted() -> Vec<(&'static str, i64)> {
    let pieces = PIECES.iter().filter_map(|piece| Some((piece.sku, piece.stock?)));
    pieces.chain(BAND_SIZES.iter().map(|(sku, _, stock)| (*sku, *stock))).collect()
}
