//! The description as one page of HTML, without scripts and without anything from elsewhere.

use std::fmt::Write;

use serde_json::Value;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;\
color:#1c1b19;background:#fff}h2{margin-top:2.5rem;border-bottom:1px solid #ccc}h3{margin:1.5rem 0 .25rem}\
code{font:.9em ui-monospace,monospace}.m{display:inline-block;min-width:3.2rem;font-weight:700}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.2rem .6rem .2rem 0;\
border-bottom:1px solid #eee}p{margin:.25rem 0}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#1c1b19}a{color:#9cf}td,th{border-color:#444}}";

/// The page of a document that [`super::document`] made.
pub(super) fn of(document: &Value) -> String {
    let mut out = String::with_capacity(64 * 1024);
    let info = &document["info"];
    let title = escaped(text(&info["title"]));
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title}: API</title><style>{STYLE}</style></head><body>\
         <h1>{title} {}</h1><p>{}</p><p><a href=\"openapi.json\">openapi.json</a></p>",
        escaped(text(&info["version"])),
        escaped(text(&info["description"]))
    );
    let mut tag = "";
    for operation in super::OPERATIONS {
        if operation.tag != tag {
            tag = operation.tag;
            let _ = write!(out, "<h2>{}</h2>", escaped(tag));
        }
        one(&mut out, operation, &document["paths"][operation.path][operation.method]);
    }
    out.push_str("<h2>Shapes</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        shape(&mut out, name, schema);
    }
    out.push_str("</body></html>");
    out
}

fn one(out: &mut String, operation: &super::Operation, described: &Value) {
    let _ = write!(
        out,
        "<h3><code><span class=\"m\">{}</span> {}</code></h3><p>{}.</p>",
        operation.method.to_uppercase(),
        escaped(operation.path),
        escaped(operation.summary)
    );
    let parameters = described["parameters"].as_array().into_iter().flatten();
    for parameter in parameters.filter(|parameter| parameter["in"] == "query") {
        let (name, told) = (text(&parameter["name"]), text(&parameter["description"]));
        let _ = write!(out, "<p><code>?{}=</code> {}</p>", escaped(name), escaped(told));
    }
    if let Some(body) = operation.body {
        let _ = write!(out, "<p>Takes {}.</p>", link(body));
    }
    for (status, content) in operation.answers {
        let gives = match content.trim_matches(['[', ']']) {
            "" => "nothing more".to_owned(),
            media if media.contains('/') => format!("<code>{}</code>", escaped(media)),
            name if content.starts_with('[') => format!("a page of {}", link(name)),
            name => link(name),
        };
        let _ = write!(out, "<p>{status}: {gives}.</p>");
    }
}

fn shape(out: &mut String, name: &str, schema: &Value) {
    let told = escaped(text(&schema["description"]));
    let _ = write!(out, "<h3 id=\"{0}\"><code>{0}</code></h3><p>{told}</p>", escaped(name));
    let Some(properties) = schema["properties"].as_object().filter(|p| !p.is_empty()) else {
        return;
    };
    out.push_str("<table><tr><th>field</th><th>type</th><th></th></tr>");
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().collect();
    for (field, property) in properties {
        let absent =
            if required.contains(&&Value::from(field.as_str())) { "" } else { ", may be absent" };
        let _ = write!(
            out,
            "<tr><td><code>{}</code></td><td>{}{absent}</td><td>{}</td></tr>",
            escaped(field),
            kind(property),
            escaped(text(&property["description"]))
        );
    }
    out.push_str("</table>");
}

/// A type in words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|to| to.rsplit('/').next()) {
        return link(name);
    }
    if let Some(either) = schema["oneOf"].as_array() {
        return either.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<_> = words.iter().map(|word| escaped(text(word))).collect();
        return words.join(" | ");
    }
    match &schema["type"] {
        Value::Array(either) => {
            either.iter().map(|one| escaped(text(one))).collect::<Vec<_>>().join(" or ")
        }
        Value::String(name) if name == "array" => format!("list of {}", kind(&schema["items"])),
        Value::String(name) => escaped(schema["format"].as_str().unwrap_or(name)),
        _ => "anything".to_owned(),
    }
}

fn link(name: &str) -> String {
    format!("<a href=\"#{0}\"><code>{0}</code></a>", escaped(name))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
