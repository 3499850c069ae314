//! What a key may do at a store, found out before anything is stored.

use super::{Client, SystemStatus, client::MAX_OBJECT_BYTES, manner::Refusal};
use crate::channel::ChannelError;

/// A store that has shown itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// What it says of itself.
    pub status: SystemStatus,
    /// Whether the key may write.
    pub writable: bool,
}

/// Why a store could not be verified: by the key's fault, or because the store cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// The store answers as WooCommerce does, and refuses the key.
    Key(&'static str),
    /// No WooCommerce answers there.
    Store(ChannelError),
    /// A password of the site's own stands before WooCommerce.
    Password,
}

impl Client {
    /// Asks the store who it is, and whether the key may write. Nothing is changed there.
    ///
    /// # Errors
    /// See [`Doubt`].
    pub async fn verify(&self) -> Result<Verified, Doubt> {
        let status = self.told_status().await.map_err(doubt)?;
        let writable = self.may_write().await.map_err(Doubt::Store)?;
        Ok(Verified { status, writable })
    }

    /// Whether the key may write: a batch that holds nothing is refused to a key that may only read,
    /// before it is looked into (`WC_REST_Authentication::check_permissions`), and else does nothing.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn may_write(&self) -> Result<bool, ChannelError> {
        let nothing = b"{\"update\":[]}".to_vec();
        match self.post("wc/v3/products/batch", nothing, &|_| Vec::new(), MAX_OBJECT_BYTES).await {
            Ok(_) => Ok(true),
            Err(Refusal {
                error: ChannelError::Unauthorized | ChannelError::Forbidden, ..
            }) => Ok(false),
            Err(refusal) => Err(refusal.error),
        }
    }
}

fn doubt(refusal: Refusal) -> Doubt {
    let by_woocommerce =
        refusal.code.as_deref().is_some_and(|code| code.starts_with("woocommerce_rest_"));
    match refusal.error {
        ChannelError::Unauthorized if by_woocommerce => Doubt::Key(
            "the store does not accept them (401): the key was deleted or belongs to another store, its secret is wrong, or it lacks read permission; in WooCommerce > Settings > Advanced > REST API make a key with Read/Write permission and paste both parts",
        ),
        ChannelError::Unauthorized => Doubt::Password,
        ChannelError::Forbidden if by_woocommerce => Doubt::Key(
            "the key belongs to a user who may not manage WooCommerce (403): make one for an administrator or a shop manager",
        ),
        error => Doubt::Store(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_woocommerce_itself_can_say_that_a_key_is_wrong() {
        let refused = |error, code: Option<&str>| {
            doubt(Refusal { error, code: code.map(str::to_owned), clock_ahead: None })
        };
        let view = Some("woocommerce_rest_cannot_view");
        assert!(matches!(refused(ChannelError::Unauthorized, view), Doubt::Key(_)));
        assert!(matches!(refused(ChannelError::Forbidden, view), Doubt::Key(_)));
        assert_eq!(refused(ChannelError::Unauthorized, None), Doubt::Password);
        let firewall = refused(ChannelError::Forbidden, None);
        assert_eq!(firewall, Doubt::Store(ChannelError::Forbidden));
    }
}
