//! Chromium, driven by chromedriver as a person drives it. Blocking, so that a test reads as a list of steps.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, ChromiumLikeCapabilities, LoggingPrefsLogLevel, TypingData};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const FLAGS: [&str; 11] = [
    "--headless",
    // Root runs it, in a container that has no /dev/shm to speak of.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--window-size=1280,1200",
    // A third of the work is what moves.
    "--force-prefers-reduced-motion",
    // What is not here is nowhere: the page needs no network. One name is another site's that leads here.
    "--host-resolver-rules=MAP evil.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

pub(crate) struct Browser {
    tokio: tokio::runtime::Runtime,
    driver: Option<WebDriver>,
    chromedriver: Child,
    folder: tempfile::TempDir,
}

impl Browser {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut chromedriver = Command::new("chromedriver")
            .arg("--port=0")
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Chromium's processes are in it, and go with it.
            .process_group(0)
            .spawn()
            .expect("chromedriver is missing: run scripts/prerequisites test");
        let mut said = BufReader::new(chromedriver.stdout.take().unwrap()).lines();
        let port = said
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                Some(line.split_once("successfully on port ")?.1.trim_end_matches('.').to_owned())
            })
            .expect("chromedriver says its port");
        std::thread::spawn(move || said.for_each(drop));
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connect = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities(folder.path()));
        let driver = tokio.block_on(connect);
        let mut browser = Self { tokio, driver: None, chromedriver, folder };
        browser.driver = Some(driver.expect("Chromium starts"));
        browser
    }

    #[track_caller]
    pub(super) fn run<T>(&self, work: impl Future<Output = WebDriverResult<T>>) -> T {
        self.tokio.block_on(work).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(super) fn driver(&self) -> &WebDriver {
        self.driver.as_ref().unwrap()
    }

    #[track_caller]
    pub(crate) fn go(&self, address: &str) {
        self.run(self.driver().goto(address));
    }

    pub(crate) fn address(&self) -> String {
        self.run(self.driver().current_url()).to_string()
    }

    /// The element, once it is there.
    #[track_caller]
    pub(crate) fn find(&self, css: &str) -> WebElement {
        let found = self.driver().query(By::Css(css)).wait(PATIENCE, Duration::from_millis(50));
        self.run(found.desc(css).first())
    }

    pub(crate) fn all(&self, css: &str) -> Vec<WebElement> {
        self.run(self.driver().find_all(By::Css(css)))
    }

    pub(crate) fn has(&self, css: &str) -> bool {
        !self.all(css).is_empty()
    }

    #[track_caller]
    pub(crate) fn click(&self, css: &str) {
        self.run(self.find(css).click());
    }

    /// All text of it, shown or not yet.
    #[track_caller]
    pub(crate) fn text(&self, css: &str) -> String {
        self.run(self.find(css).prop("textContent")).unwrap_or_default()
    }

    /// What a script returns that finds these in `arguments`.
    #[track_caller]
    pub(crate) fn eval(&self, script: &str, arguments: &[&str]) -> Value {
        let arguments: Vec<Value> = arguments.iter().map(|one| json!(one)).collect();
        self.run(self.driver().execute(script, arguments)).json().clone()
    }

    /// A command of Chromium's own protocol.
    #[track_caller]
    pub(crate) fn devtools(&self, command: &str, parameters: Value) {
        self.run(self.driver().cdp().send_raw(command, parameters));
    }

    /// The window's inner size.
    #[track_caller]
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", size);
    }

    /// A file that the page has let its user keep, once it is whole.
    #[track_caller]
    pub(crate) fn downloaded(&self, name: &str) -> PathBuf {
        let path = self.folder.path().join("downloads").join(name);
        super::eventually(name, || path.exists());
        path
    }

    /// What can be seen now, as an artefact of the run.
    #[track_caller]
    pub(crate) fn screenshot(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("artefacts");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        self.run(self.driver().screenshot(&path));
        println!("screenshot: {}", path.display());
    }

    /// Errors and warnings in the console since this was last asked.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.run(self.driver().browser_log());
        let bad = log.into_iter().filter(|entry| matches!(entry.level.as_str(), "SEVERE" | "WARNING"));
        bad.map(|entry| entry.message).collect()
    }

    /// What the page has asked of the network since this was last asked.
    pub(crate) fn requests(&self) -> Vec<String> {
        let log = self.run(self.driver().get_log("performance"));
        let events = log.iter().map(|entry| serde_json::from_str::<Value>(&entry.message).unwrap());
        events
            .filter(|event| event["message"]["method"] == "Network.requestWillBeSent")
            .map(|event| event["message"]["params"]["request"]["url"].as_str().unwrap().to_owned())
            // The page's own memory, and the tab that was there before it.
            .filter(|url| !["data:", "blob:", "chrome:"].iter().any(|inner| url.starts_with(inner)))
            .collect()
    }

    /// Keys to whatever has the focus.
    #[track_caller]
    pub(crate) fn press(&self, keys: impl Into<TypingData>) {
        self.run(self.driver().action_chain().send_keys(keys).perform());
    }

    /// Presses Tab, or Shift and Tab, until the element has the focus.
    #[track_caller]
    pub(crate) fn tab_to(&self, css: &str) {
        let target = self.find(css);
        let script = "const [target, now] = [arguments[0], document.activeElement];
            if (target === now) return 'here';
            return target.compareDocumentPosition(now) & Node.DOCUMENT_POSITION_FOLLOWING ? 'back' : 'on'";
        for _ in 0..400 {
            let asked = self.driver().execute(script, vec![target.to_json().unwrap()]);
            let keys = self.driver().action_chain();
            let keys = match self.run(asked).json().as_str().unwrap() {
                "here" => return,
                "back" => keys.key_down(Key::Shift).send_keys(Key::Tab).key_up(Key::Shift),
                _ => keys.send_keys(Key::Tab),
            };
            self.run(keys.perform());
        }
        panic!("400 times Tab does not lead to {css}");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(driver) = self.driver.take() {
            let _ = self.tokio.block_on(driver.quit());
        }
        let _ = killpg(Pid::from_raw(i32::try_from(self.chromedriver.id()).unwrap()), Signal::SIGKILL);
        let _ = self.chromedriver.wait();
    }
}

fn capabilities(folder: &Path) -> ChromeCapabilities {
    // What chromedriver calls Chromium too.
    let mut chromium = DesiredCapabilities::chrome();
    for flag in FLAGS {
        chromium.add_arg(flag).unwrap();
    }
    chromium.add_arg(&format!("--user-data-dir={}", folder.join("profile").display())).unwrap();
    let preferences = json!({ "download.default_directory": folder.join("downloads") });
    chromium.add_experimental_option("prefs", preferences).unwrap();
    chromium.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
    chromium.set_logging_prefs("performance", LoggingPrefsLogLevel::All).unwrap();
    chromium
}
