//! Swagger UI's page: by the keyboard alone, behind a path prefix, through a forwarded port, in the dark, in a narrow
//! window; and what it shows before anything is tried.

use serde_json::{Value, json};
use thirtyfour::Key;

use crate::support::browser::Browser;
use crate::support::demo::Demo;
use crate::support::swagger::{Operation, Shown};
use crate::support::{eventually, relay};

/// Goes to an operation by Tab, opens it, does what is to be done with it, executes it, clears the answer away and folds
/// it, so that the way to the next is short.
#[track_caller]
fn by_keys(browser: &Browser, id: &str, prepare: impl FnOnce(&Operation<'_>)) -> Shown {
    let operation = browser.operation(id);
    browser.tab_to(&operation.at(".opblock-summary-control"));
    browser.press(Key::Enter);
    operation.wait();
    prepare(&operation);
    browser.tab_to(&operation.button());
    browser.press(Key::Enter);
    let shown = operation.answer();
    browser.tab_to(&operation.at(".btn-clear"));
    browser.press(Key::Enter);
    browser.tab_to(&operation.at(".opblock-summary-control"));
    browser.press(Key::Enter);
    shown
}

fn as_it_stands(_: &Operation<'_>) {}

/// By the arrow: the second of the examples.
fn second_example(operation: &Operation<'_>) {
    operation.browser.tab_to(&operation.examples());
    operation.browser.press(Key::Down);
}

#[test]
fn the_keyboard_alone_gets_through_a_containers_life() {
    let demo = Demo::start();
    let browser = &demo.browser;
    browser.open_page(&demo.daemon.client.base, "swagger-ui/");
    let status = |shown: &Shown| shown.json()["state"]["status"].clone();
    let started = by_keys(browser, "startContainer", as_it_stands);
    assert_eq!((started.status, status(&started)), (201, json!("running")));
    demo.redis_listens();
    assert_eq!(by_keys(browser, "createProcess", as_it_stands).status, 200);
    // A field that Tab leads to is selected, so what is typed stands in place of the example.
    let last = by_keys(browser, "getLogs", |operation| {
        browser.tab_to(&operation.field("tail"));
        browser.press("1");
    });
    assert_eq!((last.status, last.body.lines().count()), (200, 1), "{}", last.body);
    assert_eq!(by_keys(browser, "getState", as_it_stands).json()["containers"][0]["id"], "redis");
    assert_eq!(status(&by_keys(browser, "updateContainer", as_it_stands)), "paused");
    assert_eq!(status(&by_keys(browser, "updateContainer", second_example)), "running");
    assert_eq!(by_keys(browser, "createCheckpoint", second_example).json()["exit"], true);
    let restored = by_keys(browser, "startContainer", second_example);
    assert_eq!((restored.status, &restored.json()["checkpoint"]), (201, &json!("test1")));
    assert_eq!(by_keys(browser, "deleteContainer", as_it_stands).status, 204);
    assert_eq!(browser.complaints(), Vec::<String>::new());
    demo.daemon.clean_up();
}

#[test]
fn the_page_works_behind_a_path_prefix_and_through_a_forwarded_port() {
    let demo = Demo::start();
    let browser = &demo.browser;
    for base in [relay::forward(&demo.daemon.client), relay::below(&demo.daemon.client, "/hosts/one")] {
        browser.go(&format!("{base}/"));
        assert_eq!(browser.address(), format!("{base}/swagger-ui/"), "the root leads to the page");
        browser.open_page(&base, "swagger-ui/#/daemon/getState");
        for (id, status) in [
            ("getState", 200),
            ("startContainer", 201),
            ("getSwaggerUiRedirect", 200),
            ("deleteContainer", 204),
        ] {
            let operation = browser.operation(id);
            let shown = operation.open().execute().answer();
            assert_eq!(shown.status, status, "{base} {id}: {}", shown.body);
            let asked = browser.text(&operation.at(".request-url pre"));
            assert!(asked.starts_with(&format!("{base}/")), "{asked}");
        }
        let requests = browser.requests();
        assert!(requests.iter().all(|url| url.starts_with(&format!("{base}/"))), "{requests:?}");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
    demo.daemon.clean_up();
}

#[test]
fn the_page_begins_with_a_guide_and_shows_tags_in_order_links_and_problems() {
    let demo = Demo::start();
    let browser = &demo.browser;
    browser.open_page(&demo.daemon.client.base, "swagger-ui/");
    assert_eq!(browser.text("header h1"), "containerd-rest");
    assert_eq!(browser.all("header li").len(), 3);
    let tags = browser
        .eval("return [...document.querySelectorAll('.opblock-tag')].map((tag) => tag.dataset.tag)", &[]);
    assert_eq!(tags, json!(["containers", "processes", "checkpoints", "daemon", "contract"]));

    // Every link of the guide leads to an operation and opens it, and so does the same address in a new window.
    for link in browser
        .eval("return [...document.querySelectorAll('header a')].map((a) => a.getAttribute('href'))", &[])
        .as_array()
        .unwrap()
    {
        let link = link.as_str().unwrap();
        browser.click(&format!("header a[href='{link}']"));
        let id = link.rsplit('/').next().unwrap();
        browser.operation(id).wait();
        assert!(browser.address().ends_with(link), "{link}");
    }
    browser.open_page(&demo.daemon.client.base, "swagger-ui/#/checkpoints/createCheckpoint");
    let operation = browser.operation("createCheckpoint");
    operation.wait();

    // Its links, which are for programs, are not shown.
    let script = "const links = [...document.querySelectorAll('.response-col_links')];
        return [links.length > 0, links.filter((one) => one.offsetParent).length]";
    assert_eq!(browser.eval(script, &[]), json!([true, 0]));

    // Each answer that is an error has a problem document as its example.
    let script =
        "const rows = [...document.querySelectorAll(arguments[0])].filter((row) => row.dataset.code >= 400);
        return rows.map((row) => row.textContent)";
    let problems =
        browser.eval(script, &[&operation.at(".responses-table:not(.live-responses-table) tr.response")]);
    let problems = problems.as_array().unwrap();
    assert_eq!(problems.len(), 12);
    assert!(
        problems.iter().all(|row| row.as_str().unwrap().contains("urn:containerd-rest:problem:")),
        "{problems:?}"
    );

    in_the_dark(browser);
    in_a_narrow_window(browser);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

/// The light of what is behind an element's text and of the text, from 0 to 255.
fn light(browser: &Browser, css: &str) -> (f64, f64) {
    let script = "const light = (color) => { const [r, g, b] = color.match(/[\\d.]+/g); return (+r + +g + +b) / 3 };
        const style = (one) => getComputedStyle(one);
        let behind = document.querySelector(arguments[0]);
        const text = light(style(behind).color);
        // What shines through is as light as what is behind it.
        while (behind.parentElement && style(behind).backgroundColor.startsWith('rgba')) behind = behind.parentElement;
        return [light(style(behind).backgroundColor), text]";
    let found = browser.eval(script, &[css]);
    (found[0].as_f64().unwrap(), found[1].as_f64().unwrap())
}

fn in_the_dark(browser: &Browser) {
    let places =
        ["header p", "header a", ".about summary", ".opblock-tag", ".examples-select__section-label", "body"];
    for (scheme, dark) in [("light", false), ("dark", true)] {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.devtools("Emulation.setEmulatedMedia", features);
        for place in places {
            eventually(&format!("{place} can be read in the {scheme}"), || {
                let (behind, text) = light(browser, place);
                (behind < 128.0) == dark && (place == "body" || (behind - text).abs() > 80.0)
            });
        }
        browser.eval("scrollTo(0, 0)", &[]);
        browser.screenshot(&format!("swagger-ui-{scheme}.png"));
    }
}

fn in_a_narrow_window(browser: &Browser) {
    browser.resize(400, 1400);
    let widths = browser.eval("return [document.documentElement.scrollWidth, innerWidth]", &[]);
    let widths: Vec<Option<i64>> = widths.as_array().unwrap().iter().map(Value::as_i64).collect();
    browser.screenshot("swagger-ui-narrow.png");
    assert!(widths[0] <= widths[1], "nothing is to be scrolled sideways for: {widths:?}");
}
