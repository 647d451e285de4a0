//! Course-discovery.

mod courses;
mod entrance;
mod people;
mod runs;

use reqwest::{Client, Method, RequestBuilder, Response, redirect::Policy};
use serde_json::{Value, json};
use vendorbridge_testkit::sandbox::{
    Sandbox,
    discovery::{COURSE_TYPE, ORGANIZATION, PRODUCT_SOURCE, RUN_TYPE},
};

use crate::{Answer, send};

/// A client that has a token.
struct Api<'a> {
    sandbox: &'a Sandbox,
    client: Client,
    token: String,
}

impl<'a> Api<'a> {
    async fn open(sandbox: &'a Sandbox) -> Self {
        let client = client();
        let answer = send(token_request(&client, sandbox, &[])).await.unwrap();
        assert_eq!(
            (answer.status, answer.body["token_type"].as_str()),
            (200, Some("JWT"))
        );
        let token = answer.body["access_token"].as_str().unwrap().to_owned();
        Self {
            sandbox,
            client,
            token,
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/api/v1/{path}", self.sandbox.discovery_url());
        let authorization = format!("JWT {}", self.token);
        self.client
            .request(method, url)
            .header("authorization", authorization)
    }

    async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.write(Method::POST, path, body).await
    }

    async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.write(Method::PATCH, path, body).await
    }

    async fn write(&self, method: Method, path: &str, body: &Value) -> Answer {
        send(with(self.request(method, path), body)).await.unwrap()
    }

    /// The text of an answer that need not be JSON.
    async fn text(&self, method: Method, path: &str, body: &Value) -> (u16, String) {
        let answer: Response = with(self.request(method, path), body).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// The course that was made.
    async fn course(&self, number: &str) -> String {
        let answer = self.post("courses/", &course(number)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["key"].as_str().unwrap().to_owned()
    }

    /// The run that was made.
    async fn run(&self, course: &str) -> String {
        let answer = self.post("course_runs/", &run(course)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["key"].as_str().unwrap().to_owned()
    }

    /// The person that was made.
    async fn person(&self, given: &str, family: &str) -> String {
        let answer = self.post("people/", &person(given, family)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["uuid"].as_str().unwrap().to_owned()
    }
}

/// A client that follows nothing.
fn client() -> Client {
    drop(crate::client());
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

fn with(request: RequestBuilder, body: &Value) -> RequestBuilder {
    request
        .header("content-type", "application/json")
        .body(body.to_string())
}

/// A request for a token, with these parameters instead of the right ones.
fn token_request(client: &Client, sandbox: &Sandbox, instead: &[(&str, &str)]) -> RequestBuilder {
    let config = sandbox.config();
    let mut form = vec![
        ("client_id", config.discovery_client_id.as_str()),
        ("client_secret", config.discovery_client_secret.as_str()),
        ("grant_type", "client_credentials"),
        ("token_type", "jwt"),
    ];
    form.retain(|(name, _)| !instead.iter().any(|(other, _)| other == name));
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form).extend_pairs(instead);
    client
        .post(format!("{}/oauth2/access_token", sandbox.discovery_url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.finish())
}

fn person(given: &str, family: &str) -> Value {
    json!({"given_name": given, "family_name": family, "position": {"title": "Professor"}})
}

fn course(number: &str) -> Value {
    json!({
        "title": "Digital Marketing", "number": number, "org": ORGANIZATION, "type": COURSE_TYPE,
        "product_source": PRODUCT_SOURCE, "prices": {"verified": "2450.00"},
    })
}

fn run(course: &str) -> Value {
    json!({
        "course": course, "start": "2026-03-20T00:00:00Z", "end": "2026-05-28T00:00:00Z", "run_type": RUN_TYPE,
    })
}

/// Without the members that the other does not have.
fn parts(all: &Value, like: &Value) -> Value {
    let names = like.as_object().unwrap().keys();
    names.map(|name| (name.clone(), all[name].clone())).collect()
}
