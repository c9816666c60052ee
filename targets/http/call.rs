//! One HTTP request as a template: method, URL, headers, body.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Client, Method, Url};
use serde_json::Value as Json;

use super::condition::Answer;
use super::section::{Mistake, Section};
use super::template::{Arguments, Place, Scope, Slot, Template};
use super::tree::Tree;

/// How long a node may take to accept a connection. Nothing was sent by then.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// A compiled request.
#[derive(Debug, Clone)]
pub struct Call {
    method: Method,
    url: Template,
    headers: Vec<(HeaderName, Template)>,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Empty,
    Text(Template),
    Json(Tree),
}

/// Why there is no answer.
#[derive(Debug)]
pub struct NoAnswer {
    /// Nothing had been sent: it surely did not happen.
    pub unsent: bool,
    pub text: String,
}

/// A client that does nothing unasked: no redirects, no proxy, no retries.
pub fn http_client() -> Result<Client, String> {
    Client::builder()
        .connect_timeout(CONNECT_LIMIT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .http1_only()
        .build()
        .map_err(|error| format!("cannot build an HTTP client: {}", chain(&error)))
}

impl Call {
    /// Reads `method`, `url`, `headers` and `body`.
    pub fn read(section: &mut Section, scope: &Scope, mistakes: &mut Vec<Mistake>) -> Option<Call> {
        let method = read_method(section, mistakes);
        let url = read_url(section, scope, mistakes);
        let headers = read_headers(section, scope, mistakes);
        let body = read_body(section, scope, mistakes);
        Some(Call { method: method?, url: url?, headers, body })
    }

    /// The slots that it mentions anywhere.
    pub fn slots(&self) -> Vec<Slot> {
        let headers = self.headers.iter().flat_map(|(_, value)| value.slots());
        let body = match &self.body {
            Body::Empty => Vec::new(),
            Body::Text(template) => template.slots().collect(),
            Body::Json(tree) => tree.slots(),
        };
        self.url.slots().chain(headers).chain(body).collect()
    }

    /// Sends it once and waits for the whole answer.
    pub async fn send(
        &self,
        client: &Client,
        arguments: &Arguments<'_>,
    ) -> Result<Answer, NoAnswer> {
        let unsent = |text: String| NoAnswer { unsent: true, text };
        let url = self.url.render(arguments);
        let url = Url::parse(&url).map_err(|error| unsent(format!("{url}: {error}")))?;
        let mut request = client.request(self.method.clone(), url);
        for (name, value) in &self.headers {
            let value = value.render(arguments);
            let value = HeaderValue::from_str(&value)
                .map_err(|error| unsent(format!("header {name}: {error}")))?;
            request = request.header(name, value);
        }
        request = match &self.body {
            Body::Empty => request,
            Body::Text(template) => request.body(template.render(arguments)),
            Body::Json(tree) => {
                if !self.headers.iter().any(|(name, _)| name == CONTENT_TYPE) {
                    request = request.header(CONTENT_TYPE, "application/json");
                }
                request.body(tree.render(arguments).to_string())
            }
        };
        let no_answer = |error: reqwest::Error| NoAnswer {
            unsent: error.is_connect() || error.is_builder(),
            text: chain(&error),
        };
        let response = request.send().await.map_err(no_answer)?;
        let status = response.status().as_u16();
        let body = response.text().await.map_err(|error| NoAnswer {
            unsent: false,
            text: format!("{status}, but the answer broke off: {}", chain(&error)),
        })?;
        Ok(Answer::new(status, body))
    }
}

/// An error with its causes: reqwest's own text leaves out what the system said.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

fn read_method(section: &mut Section, mistakes: &mut Vec<Mistake>) -> Option<Method> {
    const METHODS: [&str; 6] = ["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD"];
    let json = section.require("method", &METHODS.join(", "), mistakes)?;
    let method = json.as_str().filter(|name| METHODS.contains(name));
    let method = method.and_then(|name| name.parse().ok());
    if method.is_none() {
        mistakes.push(section.not_accepted("method", json, &METHODS.join(", ")));
    }
    method
}

fn read_url(section: &mut Section, scope: &Scope, mistakes: &mut Vec<Mistake>) -> Option<Template> {
    const URL: &str = "a URL such as http://{ip}:8080/{key}";
    let json = section.require("url", URL, mistakes)?;
    match json.as_str() {
        Some(url) if url.starts_with("http://") => {
            read_template(url, Place::Url, section.path("url"), scope, mistakes)
        }
        _ => {
            mistakes.push(section.not_accepted("url", json, URL));
            None
        }
    }
}

fn read_headers(
    section: &mut Section,
    scope: &Scope,
    mistakes: &mut Vec<Mistake>,
) -> Vec<(HeaderName, Template)> {
    let Some(json) = section.take("headers") else { return Vec::new() };
    let Some(map) = json.as_object() else {
        mistakes.push(section.not_accepted("headers", json, "a map of header names to text"));
        return Vec::new();
    };
    let mut headers = Vec::new();
    for (name, value) in map {
        let mut path = section.path("headers");
        path.push(name.clone());
        match (HeaderName::try_from(name), value.as_str()) {
            (Ok(name), Some(value)) => {
                let template = read_template(value, Place::Text, path, scope, mistakes);
                headers.extend(template.map(|template| (name, template)));
            }
            _ => mistakes.push(Mistake {
                path,
                message: format!("`{name}: {value}` is no header"),
                accepted: "a header name with text".to_string(),
            }),
        }
    }
    headers
}

/// A string is sent as it is; anything else is sent as JSON, with its content type.
fn read_body(section: &mut Section, scope: &Scope, mistakes: &mut Vec<Mistake>) -> Body {
    match section.take("body") {
        None => Body::Empty,
        Some(Json::String(text)) => {
            match read_template(text, Place::Text, section.path("body"), scope, mistakes) {
                Some(template) => Body::Text(template),
                None => Body::Empty,
            }
        }
        Some(tree) => {
            let mut found = Vec::new();
            let tree = Tree::new(tree, scope, &mut found);
            mistakes.extend(found.into_iter().map(|(inside, message)| Mistake {
                path: section.path("body").into_iter().chain(inside).collect(),
                message,
                accepted: scope.accepted(),
            }));
            Body::Json(tree)
        }
    }
}

fn read_template(
    text: &str,
    place: Place,
    path: Vec<String>,
    scope: &Scope,
    mistakes: &mut Vec<Mistake>,
) -> Option<Template> {
    match Template::new(text, place, scope) {
        Ok(template) => Some(template),
        Err(found) => {
            mistakes.extend(found.into_iter().map(|message| Mistake {
                path: path.clone(),
                message,
                accepted: scope.accepted(),
            }));
            None
        }
    }
}
