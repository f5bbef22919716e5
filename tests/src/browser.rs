//! A headless Chromium, controlled with the DevTools protocol: opens a page, presses keys,
//! evaluates expressions, and takes screenshots.

use crate::host_packages;
use anyhow::{Context, Result, bail, ensure};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

/// The time limit of every operation.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// The time between two attempts.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A browser with one page.
#[derive(Debug)]
pub struct Browser {
    process: Child,
    socket: WebSocket<TcpStream>,
    session: Option<String>,
    sent: u64,
    /// Exceptions, and errors and warnings of the console.
    pub errors: Vec<String>,
    /// The settings and caches; removed on drop.
    _profile: TempDir,
}

/// A key of the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Enter,
    Escape,
    Tab,
    ArrowLeft,
    ArrowUp,
    ArrowRight,
    ArrowDown,
    End,
}

impl Key {
    /// The name of the key, its code on Windows, and its text.
    fn description(self) -> (&'static str, u32, &'static str) {
        match self {
            Key::Enter => ("Enter", 13, "\r"),
            Key::Escape => ("Escape", 27, ""),
            Key::Tab => ("Tab", 9, ""),
            Key::ArrowLeft => ("ArrowLeft", 37, ""),
            Key::ArrowUp => ("ArrowUp", 38, ""),
            Key::ArrowRight => ("ArrowRight", 39, ""),
            Key::ArrowDown => ("ArrowDown", 40, ""),
            Key::End => ("End", 35, ""),
        }
    }
}

impl Browser {
    /// Opens a file.
    ///
    /// # Errors
    /// Chromium is not installed and cannot be installed, or does not respond.
    pub fn open(file: &Path) -> Result<Browser> {
        host_packages::need(host_packages::BROWSER)?;
        let profile = tempfile::tempdir().context("A temporary directory cannot be created")?;
        let process = Command::new("chromium")
            // Chromium has no sandbox for root. The page is the lab's own and needs no network.
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--remote-debugging-port=0",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("chromium cannot be started")?;
        let mut browser = Guard(Some(process));
        let (port, path) = endpoint(profile.path())?;
        let stream = TcpStream::connect(("127.0.0.1", port)).context("chromium does not listen")?;
        stream.set_read_timeout(Some(TIME_LIMIT)).context("A socket without a time limit")?;
        let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}{path}"), stream)
            .context("chromium does not support the DevTools protocol")?;
        let process = browser.0.take().context("chromium was not started")?;
        let mut browser = Browser {
            process,
            socket,
            session: None,
            sent: 0,
            errors: Vec::new(),
            _profile: profile,
        };
        let page = browser.call("Target.createTarget", &json!({"url": "about:blank"}))?;
        let page = browser.call(
            "Target.attachToTarget",
            &json!({"targetId": page["targetId"], "flatten": true}),
        )?;
        browser.session = page["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            browser.call(domain, &json!({}))?;
        }
        let file =
            file.canonicalize().with_context(|| format!("{} is not here", file.display()))?;
        browser.call("Page.navigate", &json!({"url": format!("file://{}", file.display())}))?;
        browser.wait("document.readyState === 'complete' && location.protocol === 'file:'")?;
        Ok(browser)
    }

    /// Sets the size of the window in pixels and the preferred color scheme. A narrow window
    /// emulates a phone.
    pub fn set_screen(&mut self, (width, height): (u32, u32), dark: bool) -> Result<()> {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600
        });
        self.call("Emulation.setDeviceMetricsOverride", &size)?;
        let scheme =
            json!({"name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" }});
        self.call("Emulation.setEmulatedMedia", &json!({"features": [scheme]}))?;
        self.wait(&format!(
            "innerWidth === {width} && \
             matchMedia('(prefers-color-scheme: dark)').matches === {dark}"
        ))
    }

    /// The value of a JavaScript expression.
    ///
    /// # Errors
    /// The expression throws.
    pub fn value(&mut self, expression: &str) -> Result<Value> {
        let request =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let response = self.call("Runtime.evaluate", &request)?;
        if let Some(thrown) = response.get("exceptionDetails") {
            bail!("{expression} throws: {}", thrown["exception"]["description"]);
        }
        Ok(response["result"]["value"].clone())
    }

    /// Waits until an expression is true.
    pub fn wait(&mut self, expression: &str) -> Result<()> {
        let start = Instant::now();
        while self.value(expression)? != true {
            ensure!(start.elapsed() < TIME_LIMIT, "It never became true: {expression}");
            sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    /// Presses and releases a key.
    pub fn press(&mut self, key: Key) -> Result<()> {
        let (key, code, text) = key.description();
        for (kind, text) in [("keyDown", text), ("keyUp", "")] {
            let event = json!({
                "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text
            });
            self.call("Input.dispatchKeyEvent", &event)?;
        }
        Ok(())
    }

    /// Writes a screenshot of the window, or of the whole page, as PNG.
    pub fn screenshot(&mut self, file: &Path, whole: bool) -> Result<()> {
        let request = json!({"format": "png", "captureBeyondViewport": whole});
        let shot = self.call("Page.captureScreenshot", &request)?;
        let bytes =
            BASE64_STANDARD.decode(shot["data"].as_str().context("chromium made no screenshot")?);
        let bytes = bytes.context("the screenshot is not base64")?;
        fs::write(file, bytes).with_context(|| format!("{} cannot be written", file.display()))
    }

    /// Sends a command of the protocol and waits for its result.
    fn call(&mut self, method: &str, parameters: &Value) -> Result<Value> {
        self.sent += 1;
        let mut message = json!({"id": self.sent, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.socket
            .send(Message::text(message.to_string()))
            .with_context(|| format!("{method} cannot be sent"))?;
        loop {
            let message =
                self.socket.read().with_context(|| format!("{method} got no response"))?;
            let Message::Text(text) = message else { continue };
            let mut message: Value =
                serde_json::from_str(&text).context("chromium sent a message that is not JSON")?;
            if message["id"] == self.sent {
                ensure!(message.get("error").is_none(), "{method}: {}", message["error"]);
                return Ok(message["result"].take());
            }
            self.record_errors(&message);
        }
    }

    fn record_errors(&mut self, event: &Value) {
        let parameters = &event["params"];
        let bad = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => {
                ["error", "warning", "assert"].iter().any(|it| parameters["type"] == *it)
            }
            Some("Log.entryAdded") => {
                ["error", "warning"].iter().any(|it| parameters["entry"]["level"] == *it)
            }
            _ => false,
        };
        if bad {
            self.errors.push(parameters.to_string());
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

/// Ends the browser if opening the page fails.
struct Guard(Option<Child>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(end);
    }
}

fn end(process: &mut Child) {
    // The process may have ended.
    let _ = process.kill();
    let _ = process.wait();
}

/// The port and the path of the protocol, which Chromium writes into a file of its profile.
fn endpoint(profile: &Path) -> Result<(u16, String)> {
    let start = Instant::now();
    loop {
        let output = fs::read_to_string(profile.join("DevToolsActivePort")).unwrap_or_default();
        if let Some((port, path)) =
            output.split_once('\n').filter(|(_, path)| path.starts_with("/devtools/"))
        {
            return Ok((port.parse().context("chromium names no port")?, path.trim().to_owned()));
        }
        ensure!(start.elapsed() < TIME_LIMIT, "chromium wrote no port");
        sleep(POLL_INTERVAL);
    }
}
