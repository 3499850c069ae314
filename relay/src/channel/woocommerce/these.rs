//! Several things at once, by their ids.

use serde_json::Value;

use super::{
    Client,
    client::MAX_PAGE_BYTES,
    read::{Listing, MAX_PER_PAGE},
    shape,
};
use crate::channel::ChannelError;

impl Client {
    /// Those of at most [`MAX_PER_PAGE`] things that the listing shows, in one request. What lies in the
    /// trash, or is gone, is missing from the answer.
    ///
    /// # Errors
    /// See [`ChannelError`].
    pub async fn these(&self, listing: Listing, ids: &[u64]) -> Result<Vec<Value>, ChannelError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let include = ids.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
        let parameters = [
            ("include", include),
            ("per_page", MAX_PER_PAGE.to_string()),
            ("status", "any".to_owned()),
        ];
        let answer = self.get(&listing.route(), &parameters, MAX_PAGE_BYTES).await?;
        let Value::Array(items) = answer.body else {
            return Err(ChannelError::WrongShape("not a list".to_owned()));
        };
        for item in &items {
            shape::identified(item)?;
        }
        Ok(items)
    }
}
