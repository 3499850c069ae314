//! What an open page is told as it happens: server-sent events, for as long as whoever looks may see them.

use std::{convert::Infallible, time::Duration};

use axum::{
    http::header,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, StreamExt};

use super::Panel;
use crate::{
    http::AS_IT_COMES,
    service::accounts::{self, Person},
    store,
};

/// How often is looked whether somebody is still logged in while they are told something.
const LOOK_EVERY: Duration = Duration::from_secs(2);

impl Panel {
    /// Tells a page of events until they end, or until the person has logged out, was removed or has another role.
    pub(super) fn tell(
        self,
        person: Person,
        events: impl Stream<Item = Event> + Send + 'static,
    ) -> Response {
        let gone = async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let here = accounts::is_still_here(&self.relay, &person, store::now()).await;
                if !here.unwrap_or(false) {
                    break;
                }
            }
        };
        let told = events.map(Ok::<_, Infallible>).take_until(Box::pin(gone));
        let told = Sse::new(told).keep_alive(KeepAlive::default());
        ([(header::CACHE_CONTROL, "no-store")], AS_IT_COMES, told).into_response()
    }
}
