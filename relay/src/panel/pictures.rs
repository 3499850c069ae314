//! Pictures of pieces: they lie in the shops, and a page asks for those alone that its policy lets in.

use url::Url;

use super::Panel;
use crate::service::pieces::Shown;

impl Panel {
    /// A piece without a picture that could not be shown.
    pub(super) fn pictured(&self, mut piece: Shown) -> Shown {
        piece.image = piece.image.filter(|address| may_show(address, self.cookie.is_secure()));
        piece
    }
}

/// Whether a page may show a picture from there: over https, and over http where the panel is reached so itself. An
/// address with a name or a password in it is no picture's.
fn may_show(address: &str, secure: bool) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let scheme = match url.scheme() {
        "https" => true,
        "http" => !secure,
        _ => false,
    };
    scheme && url.has_host() && url.username().is_empty() && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_asks_for_what_its_policy_lets_in_and_for_nothing_else() {
        assert!(may_show("https://shop.example/ring.jpg?w=300", true));
        assert!(may_show("http://127.0.0.1:8080/ring.jpg", false));
        for address in [
            "http://shop.example/ring.jpg",
            "javascript:alert(1)",
            "data:image/svg+xml,<svg/>",
            "blob:https://shop.example/1",
            "//shop.example/ring.jpg",
            "/settings",
            "ring.jpg",
            "https://ann:secret@shop.example/ring.jpg",
            "https://",
            "",
        ] {
            assert!(!may_show(address, true), "{address}");
        }
        assert!(!may_show("data:image/png;base64,AA==", false));
    }
}
