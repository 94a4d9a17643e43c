//! Swagger UI's page, as its user sees it.

use serde_json::Value;
use thirtyfour::components::SelectElement;

use super::browser::Browser;

/// An answer as it stands on the page.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Shown {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// An operation on the page.
pub(crate) struct Operation<'a> {
    pub(crate) browser: &'a Browser,
    block: String,
}

impl Browser {
    /// Opens the page, below this address, and waits until it shows the contract.
    #[track_caller]
    pub(crate) fn open_page(&self, base: &str, rest: &str) {
        // The page would stay, were the fragment all that is new.
        self.go("about:blank");
        self.go(&format!("{base}/{rest}"));
        self.find(".opblock");
    }

    pub(crate) fn operation(&self, id: &str) -> Operation<'_> {
        Operation { browser: self, block: format!(".opblock[id^='operations-'][id$='-{id}']") }
    }
}

impl Operation<'_> {
    /// A place in it.
    pub(crate) fn at(&self, css: &str) -> String {
        format!("{} {css}", self.block)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.browser.has(&format!("{}.is-open", self.block))
    }

    #[track_caller]
    pub(crate) fn open(&self) -> &Self {
        if !self.is_open() {
            self.browser.click(&self.at(".opblock-summary-control"));
        }
        self.wait();
        self
    }

    /// Until it can be executed.
    #[track_caller]
    pub(crate) fn wait(&self) {
        self.browser.find(&self.button());
    }

    /// Execute, which is there once the operation is read to its end.
    pub(crate) fn button(&self) -> String {
        self.at(".opblock-body:not(:has(> .opblock-loading-animation)) button.execute")
    }

    #[track_caller]
    pub(crate) fn fold(&self) {
        self.browser.click(&self.at(".opblock-summary-control"));
    }

    /// Types into a parameter's field, or chooses in its list.
    #[track_caller]
    pub(crate) fn set(&self, parameter: &str, value: &str) -> &Self {
        let field = self.browser.find(&self.field(parameter));
        if self.browser.run(field.tag_name()) == "select" {
            self.choose_in(&self.field(parameter), value);
        } else {
            self.browser.run(field.clear());
            self.browser.run(field.send_keys(value));
        }
        self
    }

    pub(crate) fn field(&self, parameter: &str) -> String {
        self.at(&format!("tr[data-param-name='{parameter}'] :is(input[type=text], select)"))
    }

    /// The list of the body's examples.
    pub(crate) fn examples(&self) -> String {
        self.at(".opblock-section-request-body .examples-select-element")
    }

    /// Chooses an example of the body.
    #[track_caller]
    pub(crate) fn example(&self, name: &str) -> &Self {
        self.choose_in(&self.examples(), name);
        self
    }

    /// Chooses the form of the body.
    #[track_caller]
    pub(crate) fn media(&self, media: &str) -> &Self {
        self.choose_in(&self.at(".opblock-section-request-body select.content-type"), media);
        self
    }

    /// The form that the answer should have.
    #[track_caller]
    pub(crate) fn accept(&self, media: &str) {
        self.choose_in(&self.at(".response-controls select.content-type"), media);
    }

    /// Takes a file for the body.
    #[track_caller]
    pub(crate) fn file(&self, path: &std::path::Path) -> &Self {
        let input = self.browser.find(&self.at("input[type=file]"));
        self.browser.run(input.send_keys(path.to_str().unwrap()));
        self
    }

    #[track_caller]
    fn choose_in(&self, css: &str, value: &str) {
        let element = self.browser.find(css);
        self.browser.run(async { SelectElement::new(&element).await?.select_by_value(value).await });
    }

    /// Presses Execute; what an earlier time has shown is cleared away first.
    #[track_caller]
    pub(crate) fn execute(&self) -> &Self {
        if self.browser.has(&self.at(".btn-clear")) {
            self.browser.click(&self.at(".btn-clear"));
        }
        self.browser.click(&self.button());
        self
    }

    /// The answer, once the page shows it.
    #[track_caller]
    pub(crate) fn answer(&self) -> Shown {
        self.browser.find(&self.at(ANSWER));
        // The headers are shown in another element, behind the body.
        let script = "const answer = document.querySelector(arguments[0]);
            const text = (css) => answer.querySelector(css)?.textContent ?? '';
            return [text('.response-col_status'), text('.response-col_description .highlight-code code')]";
        let shown = self.browser.eval(script, &[&self.at(ANSWER)]);
        let [status, body] = [&shown[0], &shown[1]].map(|text| text.as_str().unwrap().to_owned());
        // An undocumented one has that word behind it.
        let digits = status.trim_end_matches(|letter: char| !letter.is_ascii_digit());
        let status = digits.parse().unwrap_or_else(|_| panic!("{}: {status}", self.block));
        Shown { status, body }
    }
}

const ANSWER: &str = ".live-responses-table tr.response";
