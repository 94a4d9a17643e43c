//! Swagger UI: our page and settings from `swagger/`, its scripts and styles from utoipa-swagger-ui.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use utoipa_swagger_ui::Config;

const PAGE: &str = include_str!("../../swagger/index.html");
const PLUGIN: &str = include_str!("../../swagger/plugin.js");
const SETTINGS: &str = include_str!("../../swagger/settings.js");
const STYLE: &str = include_str!("../../swagger/page.css");

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| Arc::new(Config::new(["../openapi.json"])));

/// A file of the page with its media type.
pub(super) fn file(name: &str) -> Option<(Cow<'static, str>, Cow<'static, [u8]>)> {
    match name {
        "index.html" => Some(("text/html; charset=utf-8".into(), PAGE.as_bytes().into())),
        "page.css" => Some(("text/css; charset=utf-8".into(), STYLE.as_bytes().into())),
        "plugin.js" => Some(("text/javascript; charset=utf-8".into(), PLUGIN.as_bytes().into())),
        "settings.js" => Some(("text/javascript; charset=utf-8".into(), SETTINGS.as_bytes().into())),
        other => {
            let found = utoipa_swagger_ui::serve(other, Arc::clone(&CONFIG)).ok()??;
            Some((found.content_type.into(), found.bytes.into_owned().into()))
        }
    }
}
