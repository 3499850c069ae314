//! Addresses that lead nowhere: whoever reads pages is answered by a page, from which they can go on.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    Panel,
    error::{self, PanelError},
    headers,
};

/// What programs ask for: they are told in their own form, in a browser too.
const OF_PROGRAMS: [&str; 2] = ["/api", "/v1"];

/// Answers what no route does, or not by this method, with a page; every other answer stays as it is.
pub(super) async fn answer(State(panel): State<Panel>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let of_programs = OF_PROGRAMS.iter().any(|begins| {
        path.strip_prefix(begins).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    if of_programs || request.method() != Method::GET || !reads_pages(request.headers()) {
        return next.run(request).await;
    }
    let asked_by = request.headers().clone();
    let response = next.run(request).await;
    let why = match response.status() {
        StatusCode::NOT_FOUND => PanelError::NotFound("There is nothing at this address."),
        StatusCode::METHOD_NOT_ALLOWED => PanelError::NotAPage,
        _ => return response,
    };
    // The pages' own errors are pages already.
    if is_page(&response) {
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let mut page = match panel.person(&asked_by).await {
        Ok(Some(person)) => error::within(why.into_response(), person, &path),
        Ok(None) => why.into_response(),
        Err(failed) => failed.into_response(),
    };
    if let Some(allow) = allow {
        page.headers_mut().insert(header::ALLOW, allow);
    }
    headers::add(State(panel), page).await
}

/// Whether this is somebody's browser that asks for a page, and neither a program nor a part of a page.
fn reads_pages(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| {
        accepted.contains("text/html") && !accepted.contains("application/json")
    })
}

fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}
