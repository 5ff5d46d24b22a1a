//! A caller.
use reqwest::{Method, RequestBuilder};
use serde_json::Value as Json;

use crate::Reply;

/// Somebody who calls the server.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
    headers: Vec<(String, String)>,
}

impl Client {
    pub(crate) fn new(http: reqwest::Client, base: String, token: Option<String>) -> Client {
        Client { http, base, token, headers: Vec::new() }
    }

    /// The same caller, sending another header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Client {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// `GET`; whatever an address cannot hold is encoded, spaces and quotes too.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    /// `GET` with parameters that are encoded here.
    pub async fn query(&self, path: &str, parameters: &[(&str, &str)]) -> Reply {
        self.finish(self.request(Method::GET, path).query(parameters)).await
    }

    /// `POST` with JSON.
    pub async fn post(&self, path: &str, body: Json) -> Reply {
        self.send(Method::POST, path, Some(body)).await
    }

    /// `PATCH` with JSON.
    pub async fn patch(&self, path: &str, body: Json) -> Reply {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    /// Any method with any bytes.
    pub async fn bytes(&self, method: &str, path: &str, content_type: &str, body: Vec<u8>) -> Reply {
        let method = method.parse().expect("a method");
        self.finish(self.request(method, path).header("content-type", content_type).body(body)).await
    }

    /// Any method, with JSON or without.
    pub async fn send(&self, method: Method, path: &str, body: Option<Json>) -> Reply {
        let request = self.request(method, path);
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        };
        self.finish(request).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }

    async fn finish(&self, request: RequestBuilder) -> Reply {
        let response = request.send().await.expect("the server answers");
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.bytes().await.expect("the whole answer comes");
        Reply { status, headers, text: String::from_utf8_lossy(&bytes).into_owned() }
    }
}
