//! The stylesheet, the script and the mark, in the program itself; each has its content's hash in its name, so
//! a browser may keep it for ever.

use std::sync::LazyLock;

use axum::{
    http::header,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use super::{error::PanelError, extract::Path};

struct Asset {
    /// Its name with the hash in it.
    name: String,
    kind: &'static str,
    body: &'static str,
}

static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    let body = concat!(
        include_str!("assets/tokens.css"),
        include_str!("assets/frame.css"),
        include_str!("assets/parts.css"),
        include_str!("assets/lists.css"),
    );
    asset("nexpura", "css", "text/css; charset=utf-8", body)
});
static MARK: LazyLock<Asset> =
    LazyLock::new(|| asset("mark", "svg", "image/svg+xml", include_str!("assets/mark.svg")));

static LIVE: LazyLock<Asset> = LazyLock::new(|| {
    asset("live", "js", "text/javascript; charset=utf-8", include_str!("assets/live.js"))
});

fn asset(name: &str, end: &str, kind: &'static str, body: &'static str) -> Asset {
    let hash = Sha256::digest(body);
    let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Asset { name: format!("{name}.{hash}.{end}"), kind, body }
}

/// The stylesheet's address.
pub(super) fn style() -> String {
    format!("/assets/{}", STYLE.name)
}

/// The mark's address.
pub(super) fn mark() -> String {
    format!("/assets/{}", MARK.name)
}

/// The address of the script that shows live progress.
pub(super) fn live() -> String {
    format!("/assets/{}", LIVE.name)
}

/// `GET /assets/{file}`
pub(super) async fn serve(Path(file): Path<String>) -> Result<Response, PanelError> {
    let assets: [&Asset; 3] = [&STYLE, &MARK, &LIVE];
    let asset = assets.into_iter().find(|asset| asset.name == file);
    let asset = asset.ok_or(PanelError::NotFound("There is no such file."))?;
    let headers = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, asset.body).into_response())
}
