//! A list as a file for a spreadsheet, read page by page while it is sent, however long it is.

use std::io;

use axum::{
    body::Body,
    http::header,
    response::{IntoResponse, Response},
};
use futures::{Stream, StreamExt, stream};

use crate::store::{
    StoreError,
    page::{self, Page},
};

/// What tells Excel that a file is UTF-8: without it names in other letters are garbled there.
const MARK: char = '\u{feff}';

/// Rows read at once.
pub(super) const A_PAGE: i64 = page::MAX_LIMIT;

/// What a list's items are in the file: their fields, in the order of the heads.
type Row<T> = fn(T) -> Vec<String>;

/// Sends a file of this name with these heads and a row for each item. `read` reads the page of the list after
/// a key, which is empty for the first.
pub(super) fn send<T, F, R>(name: &str, heads: &[&str], row: Row<T>, read: F) -> Response
where
    T: 'static,
    F: FnMut(String) -> R + Send + 'static,
    R: Future<Output = Result<Page<T>, StoreError>> + Send + 'static,
{
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let first = stream::once(async move { Ok(format!("{MARK}{}", line(&heads))) });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")),
    ];
    (headers, Body::from_stream(first.chain(pages(row, read)))).into_response()
}

fn pages<T, F, R>(row: Row<T>, read: F) -> impl Stream<Item = io::Result<String>>
where
    F: FnMut(String) -> R + Send + 'static,
    R: Future<Output = Result<Page<T>, StoreError>> + Send + 'static,
{
    stream::try_unfold((read, Some(String::new())), move |(mut read, after)| async move {
        let Some(after) = after else { return Ok(None) };
        // A file that breaks off is seen to be broken; one that merely ends would be taken for whole.
        let page = read(after).await.map_err(|error| {
            tracing::error!(%error, "an export broke off");
            io::Error::other("the export broke off")
        })?;
        let text: String = page.items.into_iter().map(|item| line(&row(item))).collect();
        Ok(Some((text, (read, page.next))))
    })
}

/// One line as RFC 4180 has it. What a spreadsheet would take for a formula is made text.
fn line(fields: &[String]) -> String {
    let fields: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
    fields.join(",") + "\r\n"
}

/// What a spreadsheet begins a formula with, in whatever width it is written.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

fn quoted(field: &str) -> String {
    let formula = field.starts_with(FORMULA) && !is_number(field);
    let text = if formula { format!("'{field}") } else { field.to_owned() };
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

/// Digits with a sign in front, perhaps; `-inf` is a number to a program and a formula to a spreadsheet.
fn is_number(field: &str) -> bool {
    let digits = field.strip_prefix(['+', '-']).unwrap_or(field);
    digits.parse::<f64>().is_ok() && digits.chars().all(|one| one.is_ascii_digit() || one == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_keeps_its_sign() {
        for field in ["=1", "+x", "-inf", "+NaN", "-1e9", "--1", "@a", "\t=1", "\n=1", "＝1", "-"]
        {
            let text = quoted(field);
            assert!(text.trim_start_matches('"').starts_with('\''), "{field:?} became {text:?}");
        }
        for field in ["-3.5", "+2", "-1", "7", "RING", "2026-11-21T12:00:00Z", "’=1"] {
            assert_eq!(quoted(field), field);
        }
    }

    #[test]
    fn nothing_in_a_field_becomes_a_field_or_a_formula() {
        let fields = ["a,b", "say \"x\"", "=1+1", "-3.5", "-x", "two\nlines", ""];
        let fields: Vec<String> = fields.map(str::to_owned).into();
        assert_eq!(line(&fields), "\"a,b\",\"say \"\"x\"\"\",'=1+1,-3.5,'-x,\"two\nlines\",\r\n");
    }
}
