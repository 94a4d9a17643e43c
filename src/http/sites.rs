//! What a browser may send: pages of ours, and no others'. A page of another site can have a browser on this host ask
//! us for anything (CSRF), under a name of its own that it lets stand for our address (DNS rebinding); it cannot choose
//! what the browser says of it in `Host`, `Origin` and `Sec-Fetch-Site` (Fetch, Fetch Metadata).

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::connect_info::ConnectInfo;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::callers::Peer;
use super::problems;
use crate::api::problem;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Of every answer: a page of ours, which loads what is ours alone and is shown in no other page. Swagger UI writes styles
/// into its elements, and has small pictures in its own.
const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                              font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                              frame-ancestors 'none'";

/// The names of this daemon beside those of loopback.
#[derive(Debug, Clone, Default)]
pub struct Names(Arc<Vec<String>>);

impl Names {
    /// As the configuration has them: hosts, without a port.
    pub fn new(names: &[String]) -> Self {
        Self(Arc::new(names.iter().map(|name| name.to_ascii_lowercase()).collect()))
    }

    /// `called`: the address that was called, where that is another than loopback.
    fn is_ours(&self, at: &Authority, called: Option<IpAddr>) -> bool {
        let host = at.host().to_ascii_lowercase();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse();
        host == "localhost"
            || address.is_ok_and(|address: IpAddr| {
                let address = address.to_canonical();
                address.is_loopback() || Some(address) == called
            })
            || self.0.contains(&host)
    }

    /// Why a request is not one of ours.
    fn foreign(&self, request: &Request, peer: &Peer) -> Option<String> {
        let headers = request.headers();
        let host = match only(headers, &header::HOST) {
            Ok(host) => host,
            Err(words) => return Some(words),
        };
        if peer.may_be_a_browser() {
            for at in host.iter().chain(request.uri().authority()) {
                if !self.is_ours(at, peer.called_at()) {
                    return Some(format!("it is for the host {at}, which is no name of this daemon's"));
                }
            }
        }
        if headers.get_all(header::ORIGIN).iter().any(|origin| !self.is_own(origin, host.as_ref())) {
            let origin = headers.get(header::ORIGIN).map(HeaderValue::as_bytes).unwrap_or_default();
            return Some(format!("it comes from a page of {}", String::from_utf8_lossy(origin)));
        }
        let site =
            headers.get_all(SEC_FETCH_SITE).iter().find(|site| *site != "same-origin" && *site != "none");
        site.map(|site| format!("a browser says that it is {}", String::from_utf8_lossy(site.as_bytes())))
    }

    /// Whether a page's origin is the host that it asks, or has a name that is ours by configuration.
    fn is_own(&self, origin: &HeaderValue, host: Option<&Authority>) -> bool {
        let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        let Some(Ok(origin)) = origin.map(|(_, at)| at.parse::<Authority>()) else { return false };
        host.is_some_and(|host| host.as_str().eq_ignore_ascii_case(origin.as_str()))
            || self.0.contains(&origin.host().to_ascii_lowercase())
    }
}

/// The one value that a header may have.
fn only(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Authority>, String> {
    let mut all = headers.get_all(name).iter();
    let Some(value) = all.next() else { return Ok(None) };
    let parsed = value.to_str().ok().and_then(|value| value.parse().ok());
    match (parsed, all.next()) {
        (Some(at), None) => Ok(Some(at)),
        _ => Err(format!("its {name} is not one host and port")),
    }
}

/// Lets on what no other site has sent.
pub(super) async fn own(
    State(names): State<Names>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    match names.foreign(&request, &peer) {
        None => next.run(request).await,
        Some(why) => problems::answer(&problem::foreign_site(&why)).into_response(),
    }
}

/// What tells a browser that no other site gets anything out of an answer.
pub(super) async fn guarded(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (RESOURCE_POLICY, "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_loopback_are_ours_and_what_only_looks_like_one_is_not() {
        let names = Names::new(&["Box.example".to_owned()]);
        for (host, ours) in [
            ("localhost", true),
            ("LOCALHOST:9999", true),
            ("127.0.0.1:8888", true),
            ("127.1.2.3", true),
            ("[::1]:8888", true),
            ("[::ffff:127.0.0.1]", true),
            ("box.EXAMPLE:1", true),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example:8888", false),
            ("evil.example", false),
            ("192.0.2.1", false),
            ("[::]:8888", false),
            ("0.0.0.0:8888", false),
        ] {
            assert_eq!(names.is_ours(&host.parse().unwrap(), None), ours, "{host}");
        }
    }

    #[test]
    fn the_address_that_was_called_is_ours_and_no_other() {
        let ours = |host: &str| Names::default().is_ours(&host.parse().unwrap(), "192.0.2.1".parse().ok());
        assert!(ours("192.0.2.1:8888") && ours("localhost"));
        assert!(!ours("192.0.2.2:8888") && !ours("box.example"));
    }

    #[test]
    fn a_page_is_ours_when_it_is_of_the_host_that_it_asks() {
        let names = Names::new(&["box.example".to_owned()]);
        let host: Authority = "localhost:8888".parse().unwrap();
        for (origin, own) in [
            ("http://localhost:8888", true),
            ("https://LOCALHOST:8888", true),
            ("https://box.example", true),
            ("http://localhost:3000", false),
            ("http://127.0.0.1:8888", false),
            ("http://localhost:8888.evil.example", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(names.is_own(&HeaderValue::from_static(origin), Some(&host)), own, "{origin}");
        }
    }
}
