//! A real browser for tests: Debian's chromium behind chromedriver, on a free port, with a profile of its own.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use vendorbridge_testkit::cloud::{project, until};

const MISSING: &str = "the browser tests need chromium and chromedriver: `make browser` installs them where it may, \
     else on Debian `apt-get install chromium chromium-driver`";
const PATIENCE: Duration = Duration::from_mins(2);

/// A browser with one window. Dropping it ends it.
pub(crate) struct Browser {
    pub(crate) client: Client,
    driver: Child,
    session: String,
    http: reqwest::Client,
}

impl Browser {
    /// Starts one whose profile is below `folder`.
    pub(crate) async fn start(folder: &Path) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // The browser belongs to the driver's group, and ends with it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .expect(MISSING);
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port: u16 = loop {
            let line = lines.next_line().await.unwrap().expect("chromedriver's port");
            let port = line
                .rsplit_once("on port ")
                .map(|(_, port)| port.trim_end_matches('.').parse());
            // Before it has one, it repeats the zero that it was told.
            if let Some(Ok(port)) = port
                && port != 0
            {
                break port;
            }
        };
        let profile = folder.join("browser");
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--window-size=1280,900",
        ];
        let arguments = arguments.map(str::to_owned).into_iter();
        let profile = format!("--user-data-dir={}", profile.display());
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments.chain([profile]).collect::<Vec<_>>() },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        });
        let address = format!("http://127.0.0.1:{port}");
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities.as_object().unwrap().clone())
            .connect(&address)
            .await
            .expect(MISSING);
        let id = client.session_id().await.unwrap().unwrap();
        // Another test may have chosen the same already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Self {
            client,
            driver,
            session: format!("{address}/session/{id}"),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
        }
    }

    async fn ask(&self, path: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}/{path}", self.session));
        let request = request
            .header("content-type", "application/json")
            .body(body.to_string());
        let answer = request.send().await.unwrap().text().await.unwrap();
        let mut answer: Value = serde_json::from_str(&answer).unwrap();
        assert!(answer["value"]["error"].is_null(), "{path}: {answer}");
        answer["value"].take()
    }

    /// A command of the Chrome `DevTools` protocol.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.ask("goog/cdp/execute", json!({"cmd": command, "params": parameters}))
            .await
    }

    /// What the console of the browser says that is no mere note: errors, refused loads, breaches of the policy.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.ask("se/log", json!({"type": "browser"})).await;
        let entries = log.as_array().unwrap().iter();
        let serious = entries.filter(|entry| entry["level"] == "SEVERE" || entry["level"] == "WARNING");
        serious
            .map(|entry| entry["message"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The addresses that were asked for since the last call.
    pub(crate) async fn requests(&self) -> Vec<String> {
        let log = self.ask("se/log", json!({"type": "performance"})).await;
        let entries = log.as_array().unwrap().iter();
        let messages = entries.filter_map(|entry| {
            let message: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &message["message"];
            (message["method"] == "Network.requestWillBeSent")
                .then(|| message["params"]["request"]["url"].as_str().unwrap().to_owned())
        });
        messages.collect()
    }

    /// Runs a script of the test's.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap()
    }

    /// Waits until a script answers with something that is true.
    pub(crate) async fn until(&self, what: &str, script: &str) -> Value {
        let holds = until(what, PATIENCE, async || {
            let value = self.client.execute(script, vec![]).await.unwrap_or(Value::Null);
            let holds = !matches!(&value, Value::Null | Value::Bool(false)) && value != "" && value != 0;
            Ok(holds.then_some(value))
        });
        match holds.await {
            Ok(value) => value,
            Err(error) => {
                self.shoot("failed").await;
                let text = self.run("return document.body.innerText").await;
                panic!(
                    "{error}; the page says: {text}; complaints: {:?}",
                    self.complaints().await
                )
            }
        }
    }

    /// Waits until the page's words have this in them.
    pub(crate) async fn until_says(&self, words: &str) {
        let script = format!("return document.body.innerText.includes({})", json!(words));
        self.until(words, &script).await;
    }

    /// Waits for an element.
    pub(crate) async fn find(&self, css: &str) -> Element {
        self.until(
            css,
            &format!("return document.querySelector({}) !== null", json!(css)),
        )
        .await;
        self.client.find(Locator::Css(css)).await.unwrap()
    }

    /// Waits for a button with these words, and clicks it.
    pub(crate) async fn press(&self, words: &str) {
        let find = format!(
            "const it = [...document.querySelectorAll('button')].find((button) => \
             button.checkVisibility() && !button.disabled && button.innerText.trim() === {});",
            json!(words)
        );
        self.until(words, &format!("{find} it?.click(); return it !== undefined;"))
            .await;
    }

    /// Sends a key to whatever has the focus.
    pub(crate) async fn key(&self, key: &str) {
        let focus = self.client.active_element().await.unwrap();
        focus.send_keys(key).await.unwrap();
    }

    /// Pretends that the screen is so wide and high, and prefers this scheme.
    pub(crate) async fn screen(&self, width: u32, height: u32, scheme: &str) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// Keeps what is seen below `target/screenshots`.
    pub(crate) async fn shoot(&self, name: &str) {
        let folder = project().join("target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let image = self.client.screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}.png")), image).unwrap();
    }

    /// Ends the browser.
    pub(crate) async fn stop(mut self) {
        let _ = self.client.clone().close().await;
        let _ = self.driver.start_kill();
        let _ = self.driver.wait().await;
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A failed test leaves a browser that nobody has closed.
        if let Some(group) = self.driver.id() {
            let _ = std::process::Command::new("kill")
                .args(["-9", "--", &format!("-{group}")])
                .status();
        }
    }
}
