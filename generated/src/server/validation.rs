//! Offline request-schema validators and normalized public rejections.
#![allow(dead_code)]
use super::errors::{InvalidParameter, ProblemDetails, RequestValidationRejection};
const VALIDATION_SCHEMA: &str = "{\"$id\":\"urn:openapi-to-rust:request-validation\",\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"$defs\":{\"targets\":{\"v0\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_StartContainer\"},\"v1\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"pattern\":\"^[!-~]+$\"},\"v2\":{\"type\":\"boolean\",\"default\":false},\"v3\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v4\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v5\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_UpdateContainer\"},\"v6\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"pattern\":\"^[!-~]+$\"},\"v7\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v8\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"pattern\":\"^[!-~]+$\"},\"v9\":{\"type\":\"boolean\",\"default\":false},\"v10\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v11\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_StopContainer\"},\"v12\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"pattern\":\"^[!-~]+$\"},\"v13\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v14\":{\"type\":\"integer\",\"format\":\"int32\",\"minimum\":0,\"maximum\":86400},\"v15\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v16\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_CreateProcess\"},\"v17\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"pattern\":\"^[!-~]+$\"},\"v18\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v19\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_CreateProcess\"},\"v20\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"pattern\":\"^[!-~]+$\"},\"v21\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v22\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v23\":{\"type\":\"integer\",\"format\":\"int32\",\"minimum\":1,\"maximum\":2147483647},\"v24\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_SignalProcess\"},\"v25\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"pattern\":\"^[!-~]+$\"},\"v26\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v27\":{\"type\":\"integer\",\"format\":\"int32\",\"minimum\":1,\"maximum\":2147483647},\"v28\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v29\":{\"type\":\"integer\",\"format\":\"int32\",\"minimum\":1,\"maximum\":2147483647},\"v30\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_SignalProcess\"},\"v31\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"pattern\":\"^[!-~]+$\"},\"v32\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v33\":{\"type\":\"integer\",\"format\":\"int32\",\"minimum\":1,\"maximum\":2147483647},\"v34\":{\"type\":\"integer\",\"format\":\"int32\",\"minimum\":0,\"maximum\":86400},\"v35\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v36\":{\"type\":\"integer\",\"format\":\"int32\",\"minimum\":1,\"maximum\":2147483647},\"v37\":{\"type\":\"integer\",\"format\":\"int32\",\"minimum\":0,\"maximum\":86400},\"v38\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v39\":{\"type\":\"integer\",\"format\":\"int32\",\"minimum\":1,\"maximum\":2147483647},\"v40\":{\"type\":\"string\",\"enum\":[\"oldest\",\"newest\",\"name\",\"largest\"],\"default\":\"oldest\"},\"v41\":{\"type\":\"integer\",\"format\":\"int32\",\"minimum\":1,\"maximum\":1000000},\"v42\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v43\":{\"type\":\"boolean\",\"default\":false},\"v44\":{\"type\":\"boolean\",\"default\":false},\"v45\":{\"type\":\"boolean\",\"default\":false},\"v46\":{\"type\":\"boolean\",\"default\":false},\"v47\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v48\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_CreateCheckpoint\"},\"v49\":{\"type\":\"boolean\",\"default\":true},\"v50\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"pattern\":\"^[!-~]+$\"},\"v51\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v52\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_CheckpointName\"},\"v53\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v54\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_CheckpointName\"},\"v55\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"pattern\":\"^[!-~]+$\"},\"v56\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"},\"v57\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_CheckpointName\"},\"v58\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":255,\"pattern\":\"^[!-~]+$\"},\"v59\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_ContainerId\"}},\"components\":{\"component_StartContainer\":{\"type\":\"object\",\"description\":\"What to start.\",\"required\":[\"bundlePath\"],\"additionalProperties\":false,\"properties\":{\"bundlePath\":{\"type\":\"string\",\"description\":\"The absolute path of the OCI bundle's folder on the host.\",\"minLength\":1,\"maxLength\":4000,\"pattern\":\"^/[^\\\\u{0000}]*$\"},\"checkpoint\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_CheckpointName\"},\"lazyPages\":{\"type\":\"boolean\",\"default\":false,\"description\":\"With `checkpoint`: go on before all memory is in; it follows by userfaultfd (`features.lazyPages` of\\n`GET /version`). Refused in words where that cannot be.\\n\"},\"stdout\":{\"type\":\"string\",\"description\":\"A file on the host that gets the container's standard output too, appended; made when it is not\\nthere. Its folder must exist.\\n\",\"minLength\":1,\"maxLength\":4000,\"pattern\":\"^/[^\\\\u{0000}]*$\"},\"stderr\":{\"type\":\"string\",\"description\":\"The same for standard error. With a terminal there is standard output alone.\",\"minLength\":1,\"maxLength\":4000,\"pattern\":\"^/[^\\\\u{0000}]*$\"},\"restart\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_RestartPolicy\"},\"restoreFrom\":{\"type\":\"string\",\"description\":\"`latest`: what `restart` says is done from the newest checkpoint of this container that can be restored here, or one\\nof the two before it, instead of anew.\\n\",\"enum\":[\"latest\"]},\"otherwise\":{\"type\":\"string\",\"description\":\"With `restoreFrom`, when none can be restored: `start` it anew, or `leave` it stopped. Why is then in `reason`.\\n\",\"enum\":[\"start\",\"leave\"],\"default\":\"start\"},\"schedule\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_CheckpointSchedule\"}},\"example\":{\"bundlePath\":\"/containers/redis\"}},\"component_ContainerId\":{\"type\":\"string\",\"description\":\"A container's name.\",\"minLength\":1,\"maxLength\":76,\"pattern\":\"^[A-Za-z0-9][A-Za-z0-9_.+-]*$\"},\"component_UpdateContainer\":{\"type\":\"object\",\"description\":\"What to change; at least one of the two.\",\"minProperties\":1,\"additionalProperties\":false,\"properties\":{\"status\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_TargetStatus\"},\"signal\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_SignalNumber\"}},\"example\":{\"status\":\"paused\"}},\"component_StopContainer\":{\"type\":\"object\",\"description\":\"How to stop. Every field may be left out.\",\"additionalProperties\":false,\"properties\":{\"signal\":{\"type\":\"integer\",\"format\":\"int32\",\"description\":\"The signal that asks it to end.\",\"minimum\":1,\"maximum\":64,\"default\":15},\"timeout\":{\"type\":\"integer\",\"format\":\"int32\",\"description\":\"How long to wait for its end before SIGKILL, in seconds.\",\"minimum\":0,\"maximum\":3600,\"default\":10}},\"example\":{\"timeout\":10}},\"component_CreateProcess\":{\"type\":\"object\",\"description\":\"The process to add. What is left out is what the bundle's own process has.\",\"required\":[\"args\"],\"additionalProperties\":false,\"properties\":{\"args\":{\"type\":\"array\",\"description\":\"The program and its arguments.\",\"minItems\":1,\"items\":{\"type\":\"string\",\"pattern\":\"^[^\\\\u{0000}]*$\"}},\"user\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_User\"},\"env\":{\"type\":\"array\",\"description\":\"The whole environment, as NAME=value.\",\"items\":{\"type\":\"string\",\"pattern\":\"^[^=\\\\u{0000}]+=[^\\\\u{0000}]*$\"}},\"cwd\":{\"type\":\"string\",\"description\":\"The absolute path of the working folder, in the container.\",\"minLength\":1,\"pattern\":\"^/[^\\\\u{0000}]*$\"},\"terminal\":{\"type\":\"boolean\",\"description\":\"Give it a terminal of its own.\",\"default\":false}},\"example\":{\"args\":[\"sh\",\"-c\",\"sleep 1000\"]}},\"component_SignalProcess\":{\"type\":\"object\",\"description\":\"The signal to send.\",\"required\":[\"signal\"],\"additionalProperties\":false,\"properties\":{\"signal\":{\"$ref\":\"urn:openapi-to-rust:request-validation#/$defs/components/component_SignalNumber\"}},\"example\":{\"signal\":15}},\"component_CreateCheckpoint\":{\"type\":\"object\",\"description\":\"How to checkpoint. Every field may be left out.\",\"additionalProperties\":false,\"properties\":{\"exit\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Stop the container once it is dumped.\"},\"tcp\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Allow established TCP connections.\"},\"unixSockets\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Allow unix sockets whose peer is outside.\"},\"shell\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Allow a shell job (a terminal or session from outside).\"},\"fileLocks\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Allow file locks; the restored process holds them again.\"},\"preDumps\":{\"type\":\"integer\",\"format\":\"int32\",\"minimum\":1,\"maximum\":8,\"description\":\"So many rounds before the dump, in which memory is written while the container runs on. Left out, none.\"}},\"example\":{\"exit\":false}},\"component_CheckpointName\":{\"type\":\"string\",\"description\":\"A checkpoint's name.\",\"minLength\":1,\"maxLength\":128,\"pattern\":\"^[A-Za-z0-9][A-Za-z0-9_.+-]*$\"},\"component_RestartPolicy\":{\"type\":\"string\",\"description\":\"When a container that has ended is started again by itself, with its bundle as it is then: after 0.1 s, after each\\nfailure twice as long, a minute at most; ten seconds of running forget the failures. `no`. `on-failure`: when it has not\\nended with status 0, with `:N` so many times in a row at most. `always` and `unless-stopped`: however it has ended. A\\ncontainer that was stopped, or checkpointed with `exit`, is left alone, but by `always` once the host has restarted. A\\nsignal is no stop. After a restart of the host, what ran then has failed.\\n\",\"maxLength\":32,\"pattern\":\"^(no|on-failure(:[1-9][0-9]{0,3})?|always|unless-stopped)$\",\"default\":\"no\",\"example\":\"on-failure:5\"},\"component_CheckpointSchedule\":{\"type\":\"object\",\"description\":\"Checkpoints that are made by themselves while it runs, it running on; called `auto-`, its name and the time. One that\\nfails is in the daemon's log, and the next is made in its time.\\n\",\"required\":[\"every\"],\"additionalProperties\":false,\"properties\":{\"every\":{\"type\":\"integer\",\"format\":\"int32\",\"minimum\":1,\"maximum\":2592000,\"description\":\"How often, in seconds.\"},\"keep\":{\"type\":\"integer\",\"format\":\"int32\",\"minimum\":1,\"maximum\":1000,\"default\":3,\"description\":\"How many of them are kept; the oldest goes when a newer one is whole.\"},\"tcp\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Allow established TCP connections.\"},\"unixSockets\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Allow unix sockets whose peer is outside.\"},\"shell\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Allow a shell job (a terminal or session from outside).\"},\"fileLocks\":{\"type\":\"boolean\",\"default\":false,\"description\":\"Allow file locks; the restored process holds them again.\"}},\"example\":{\"every\":600,\"keep\":3}},\"component_TargetStatus\":{\"type\":\"string\",\"description\":\"The status to bring a container to.\",\"enum\":[\"running\",\"paused\"]},\"component_SignalNumber\":{\"type\":\"integer\",\"format\":\"int32\",\"description\":\"A signal's number on Linux, 1 to 64 (see signal(7)); 15 is SIGTERM, 9 is SIGKILL.\",\"minimum\":1,\"maximum\":64},\"component_User\":{\"type\":\"object\",\"description\":\"Who a process runs as, by the numbers inside the container.\",\"required\":[\"uid\",\"gid\"],\"additionalProperties\":false,\"properties\":{\"uid\":{\"type\":\"integer\",\"format\":\"uint32\",\"minimum\":0,\"maximum\":2147483647},\"gid\":{\"type\":\"integer\",\"format\":\"uint32\",\"minimum\":0,\"maximum\":2147483647},\"additionalGids\":{\"type\":\"array\",\"description\":\"Further groups; left out when there are none.\",\"items\":{\"type\":\"integer\",\"format\":\"uint32\",\"minimum\":0,\"maximum\":2147483647}}},\"example\":{\"uid\":1000,\"gid\":1000}}}}}";
const MAX_VALIDATION_ERRORS: usize = 16usize;
pub(crate) const VALIDATION_TARGET_0_BODY: &str = "#/$defs/targets/v0";
pub(crate) const VALIDATION_TARGET_1_HEADER_0: &str = "#/$defs/targets/v1";
pub(crate) const VALIDATION_TARGET_2_QUERY_1: &str = "#/$defs/targets/v2";
pub(crate) const VALIDATION_TARGET_3_PATH_2: &str = "#/$defs/targets/v3";
pub(crate) const VALIDATION_TARGET_4_PATH_0: &str = "#/$defs/targets/v4";
pub(crate) const VALIDATION_TARGET_5_BODY: &str = "#/$defs/targets/v5";
pub(crate) const VALIDATION_TARGET_6_HEADER_0: &str = "#/$defs/targets/v6";
pub(crate) const VALIDATION_TARGET_7_PATH_1: &str = "#/$defs/targets/v7";
pub(crate) const VALIDATION_TARGET_8_HEADER_0: &str = "#/$defs/targets/v8";
pub(crate) const VALIDATION_TARGET_9_QUERY_1: &str = "#/$defs/targets/v9";
pub(crate) const VALIDATION_TARGET_10_PATH_2: &str = "#/$defs/targets/v10";
pub(crate) const VALIDATION_TARGET_11_BODY: &str = "#/$defs/targets/v11";
pub(crate) const VALIDATION_TARGET_12_HEADER_0: &str = "#/$defs/targets/v12";
pub(crate) const VALIDATION_TARGET_13_PATH_1: &str = "#/$defs/targets/v13";
pub(crate) const VALIDATION_TARGET_14_QUERY_0: &str = "#/$defs/targets/v14";
pub(crate) const VALIDATION_TARGET_15_PATH_1: &str = "#/$defs/targets/v15";
pub(crate) const VALIDATION_TARGET_16_BODY: &str = "#/$defs/targets/v16";
pub(crate) const VALIDATION_TARGET_17_HEADER_0: &str = "#/$defs/targets/v17";
pub(crate) const VALIDATION_TARGET_18_PATH_1: &str = "#/$defs/targets/v18";
pub(crate) const VALIDATION_TARGET_19_BODY: &str = "#/$defs/targets/v19";
pub(crate) const VALIDATION_TARGET_20_HEADER_0: &str = "#/$defs/targets/v20";
pub(crate) const VALIDATION_TARGET_21_PATH_1: &str = "#/$defs/targets/v21";
pub(crate) const VALIDATION_TARGET_22_PATH_0: &str = "#/$defs/targets/v22";
pub(crate) const VALIDATION_TARGET_23_PATH_1: &str = "#/$defs/targets/v23";
pub(crate) const VALIDATION_TARGET_24_BODY: &str = "#/$defs/targets/v24";
pub(crate) const VALIDATION_TARGET_25_HEADER_0: &str = "#/$defs/targets/v25";
pub(crate) const VALIDATION_TARGET_26_PATH_1: &str = "#/$defs/targets/v26";
pub(crate) const VALIDATION_TARGET_27_PATH_2: &str = "#/$defs/targets/v27";
pub(crate) const VALIDATION_TARGET_28_PATH_0: &str = "#/$defs/targets/v28";
pub(crate) const VALIDATION_TARGET_29_PATH_1: &str = "#/$defs/targets/v29";
pub(crate) const VALIDATION_TARGET_30_BODY: &str = "#/$defs/targets/v30";
pub(crate) const VALIDATION_TARGET_31_HEADER_0: &str = "#/$defs/targets/v31";
pub(crate) const VALIDATION_TARGET_32_PATH_1: &str = "#/$defs/targets/v32";
pub(crate) const VALIDATION_TARGET_33_PATH_2: &str = "#/$defs/targets/v33";
pub(crate) const VALIDATION_TARGET_34_QUERY_0: &str = "#/$defs/targets/v34";
pub(crate) const VALIDATION_TARGET_35_PATH_1: &str = "#/$defs/targets/v35";
pub(crate) const VALIDATION_TARGET_36_PATH_2: &str = "#/$defs/targets/v36";
pub(crate) const VALIDATION_TARGET_37_QUERY_0: &str = "#/$defs/targets/v37";
pub(crate) const VALIDATION_TARGET_38_PATH_1: &str = "#/$defs/targets/v38";
pub(crate) const VALIDATION_TARGET_39_PATH_2: &str = "#/$defs/targets/v39";
pub(crate) const VALIDATION_TARGET_40_QUERY_0: &str = "#/$defs/targets/v40";
pub(crate) const VALIDATION_TARGET_41_QUERY_1: &str = "#/$defs/targets/v41";
pub(crate) const VALIDATION_TARGET_42_PATH_2: &str = "#/$defs/targets/v42";
pub(crate) const VALIDATION_TARGET_43_QUERY_0: &str = "#/$defs/targets/v43";
pub(crate) const VALIDATION_TARGET_44_QUERY_1: &str = "#/$defs/targets/v44";
pub(crate) const VALIDATION_TARGET_45_QUERY_2: &str = "#/$defs/targets/v45";
pub(crate) const VALIDATION_TARGET_46_QUERY_3: &str = "#/$defs/targets/v46";
pub(crate) const VALIDATION_TARGET_47_PATH_4: &str = "#/$defs/targets/v47";
pub(crate) const VALIDATION_TARGET_48_BODY: &str = "#/$defs/targets/v48";
pub(crate) const VALIDATION_TARGET_49_QUERY_0: &str = "#/$defs/targets/v49";
pub(crate) const VALIDATION_TARGET_50_HEADER_1: &str = "#/$defs/targets/v50";
pub(crate) const VALIDATION_TARGET_51_PATH_2: &str = "#/$defs/targets/v51";
pub(crate) const VALIDATION_TARGET_52_PATH_3: &str = "#/$defs/targets/v52";
pub(crate) const VALIDATION_TARGET_53_PATH_0: &str = "#/$defs/targets/v53";
pub(crate) const VALIDATION_TARGET_54_PATH_1: &str = "#/$defs/targets/v54";
pub(crate) const VALIDATION_TARGET_55_HEADER_0: &str = "#/$defs/targets/v55";
pub(crate) const VALIDATION_TARGET_56_PATH_1: &str = "#/$defs/targets/v56";
pub(crate) const VALIDATION_TARGET_57_PATH_2: &str = "#/$defs/targets/v57";
pub(crate) const VALIDATION_TARGET_58_HEADER_0: &str = "#/$defs/targets/v58";
pub(crate) const VALIDATION_TARGET_59_PATH_1: &str = "#/$defs/targets/v59";
static VALIDATORS: ::std::sync::LazyLock<
    ::std::result::Result<::jsonschema::ValidatorMap, ()>,
> = ::std::sync::LazyLock::new(|| {
    let schema: ::serde_json::Value = ::serde_json::from_str(VALIDATION_SCHEMA)
        .map_err(|_| ())?;
    ::jsonschema::options()
        .with_draft(::jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .with_pattern_options(::jsonschema::PatternOptions::regex())
        .build_map(&schema)
        .map_err(|_| ())
});
pub(crate) async fn decode_json_body<T>(
    request: ::axum::extract::Request,
    target: &str,
    expected_media_type: &str,
    required: bool,
    max_body_bytes: usize,
) -> ::std::result::Result<::std::option::Option<T>, RequestValidationRejection>
where
    T: ::serde::de::DeserializeOwned,
{
    let (parts, body) = request.into_parts();
    let content_type = parts
        .headers
        .get(::axum::http::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let is_json = content_type
        .is_some_and(|value| media_type_is(value, expected_media_type));
    if !is_json {
        if content_type.is_none() && !required {
            let bytes = read_body(body, max_body_bytes).await?;
            if bytes.is_empty() {
                return Ok(None);
            }
        }
        return Err(unsupported_media_type());
    }
    let bytes = read_body(body, max_body_bytes).await?;
    if bytes.is_empty() {
        return if required { Err(malformed_request()) } else { Ok(None) };
    }
    let instance: ::serde_json::Value = ::serde_json::from_slice(&bytes)
        .map_err(|_| malformed_request())?;
    validate(target, "/body", &instance)?;
    let typed = ::serde_json::from_value(instance)
        .map_err(|error| schema_parameter_problem("/body", "type", &error.to_string()))?;
    Ok(Some(typed))
}
pub(crate) fn decode_parameter<T>(
    raw: &str,
    target: &str,
    location: &str,
    string_wire: bool,
) -> ::std::result::Result<T, RequestValidationRejection>
where
    T: ::serde::de::DeserializeOwned + ::serde::Serialize,
{
    let typed = if string_wire {
        let instance = ::serde_json::Value::String(raw.to_string());
        validate(target, location, &instance)?;
        ::serde_json::from_value(instance).map_err(|_| generated_contract_error())?
    } else {
        ::serde_json::from_value(::serde_json::Value::String(raw.to_string()))
            .or_else(|_| ::serde_json::from_str(raw))
            .map_err(|_| malformed_parameter(location))?
    };
    validate_parameter(target, location, &typed)?;
    Ok(typed)
}
pub(crate) fn validate_string_parameter(
    target: &str,
    location: &str,
    raw: &str,
) -> ::std::result::Result<(), RequestValidationRejection> {
    validate(target, location, &::serde_json::Value::String(raw.to_string()))
}
pub(crate) fn validate_parameter<T>(
    target: &str,
    location: &str,
    value: &T,
) -> ::std::result::Result<(), RequestValidationRejection>
where
    T: ::serde::Serialize + ?Sized,
{
    let instance = ::serde_json::to_value(value)
        .map_err(|_| generated_contract_error())?;
    validate(target, location, &instance)
}
pub(crate) fn parse_cookies(
    headers: &::axum::http::HeaderMap,
) -> ::std::result::Result<
    ::std::collections::BTreeMap<String, String>,
    RequestValidationRejection,
> {
    let mut cookies = ::std::collections::BTreeMap::new();
    for header in headers.get_all(::axum::http::header::COOKIE).iter() {
        let line = header.to_str().map_err(|_| malformed_parameter("/cookie"))?;
        for field in line.split(';') {
            let field = field.trim();
            if field.is_empty() {
                continue;
            }
            let (name, value) = field
                .split_once('=')
                .ok_or_else(|| malformed_parameter("/cookie"))?;
            let name = name.trim();
            if name.is_empty()
                || cookies.insert(name.to_string(), value.to_string()).is_some()
            {
                return Err(malformed_parameter("/cookie"));
            }
        }
    }
    Ok(cookies)
}
async fn read_body(
    body: ::axum::body::Body,
    max_body_bytes: usize,
) -> ::std::result::Result<::axum::body::Bytes, RequestValidationRejection> {
    ::axum::body::to_bytes(body, max_body_bytes)
        .await
        .map_err(|error| {
            let source = ::std::error::Error::source(&error);
            if source
                .is_some_and(|source| {
                    source.is::<::http_body_util::LengthLimitError>()
                })
            {
                request_body_too_large()
            } else {
                malformed_request()
            }
        })
}
fn media_type_is(content_type: &str, expected: &str) -> bool {
    let Ok(content_type) = content_type.parse::<::mime::Mime>() else {
        return false;
    };
    let Ok(expected) = expected.parse::<::mime::Mime>() else {
        return false;
    };
    content_type.type_() == expected.type_()
        && content_type.subtype() == expected.subtype()
        && content_type.suffix() == expected.suffix()
        && expected
            .params()
            .all(|(name, value)| {
                content_type.get_param(name).is_some_and(|actual| actual == value)
            })
}
pub(crate) fn validate(
    target: &str,
    location: &str,
    instance: &::serde_json::Value,
) -> ::std::result::Result<(), RequestValidationRejection> {
    let validators = VALIDATORS.as_ref().map_err(|_| generated_contract_error())?;
    let Some(validator) = validators.get(target) else {
        return Err(generated_contract_error());
    };
    let mut errors: ::std::vec::Vec<InvalidParameter> = ::std::vec::Vec::new();
    for violation in validator.iter_errors(instance).flat_map(|error| crate::violation::of(location, &error)) {
        if errors.len() < MAX_VALIDATION_ERRORS && !errors.contains(&violation) {
            errors.push(violation);
        }
    }
    errors
        .sort_by(|left, right| {
            (&left.location, &left.code, &left.message)
                .cmp(&(&right.location, &right.code, &right.message))
        });
    if errors.is_empty() {
        return Ok(());
    }
    Err(
        RequestValidationRejection(ProblemDetails {
            r#type: "https://openapi-to-rust.dev/problems/validation".to_string(),
            title: "Request validation failed".to_string(),
            status: 422,
            code: "request_validation_failed".to_string(),
            errors,
        }),
    )
}
pub(crate) fn malformed_request() -> RequestValidationRejection {
    public_problem(
        400,
        "https://openapi-to-rust.dev/problems/malformed-request",
        "Malformed request",
        "malformed_request",
    )
}
pub(crate) fn malformed_parameter(location: &str) -> RequestValidationRejection {
    parameter_problem(
        400,
        "https://openapi-to-rust.dev/problems/malformed-parameter",
        "Malformed request parameter",
        "malformed_parameter",
        "malformed",
        location,
        "is malformed",
    )
}
pub(crate) fn missing_parameter(location: &str) -> RequestValidationRejection {
    parameter_problem(
        422,
        "https://openapi-to-rust.dev/problems/validation",
        "Request validation failed",
        "request_validation_failed",
        "required",
        location,
        "is required",
    )
}
fn schema_parameter_problem(
    location: &str,
    code: &str,
    message: &str,
) -> RequestValidationRejection {
    parameter_problem(
        422,
        "https://openapi-to-rust.dev/problems/validation",
        "Request validation failed",
        "request_validation_failed",
        code,
        location,
        message,
    )
}
fn parameter_problem(
    status: u16,
    problem_type: &str,
    title: &str,
    code: &str,
    error_code: &str,
    location: &str,
    message: &str,
) -> RequestValidationRejection {
    RequestValidationRejection(ProblemDetails {
        r#type: problem_type.to_string(),
        title: title.to_string(),
        status,
        code: code.to_string(),
        errors: vec![
            InvalidParameter { code : error_code.to_string(), location : location
            .to_string(), message : message.to_string(), }
        ],
    })
}
pub(crate) fn request_body_too_large() -> RequestValidationRejection {
    public_problem(
        413,
        "https://openapi-to-rust.dev/problems/request-body-too-large",
        "Request body too large",
        "request_body_too_large",
    )
}
pub(crate) fn unsupported_media_type() -> RequestValidationRejection {
    public_problem(
        415,
        "https://openapi-to-rust.dev/problems/unsupported-media-type",
        "Unsupported media type",
        "unsupported_media_type",
    )
}
pub(crate) fn generated_contract_error() -> RequestValidationRejection {
    public_problem(
        500,
        "https://openapi-to-rust.dev/problems/generated-contract-error",
        "Internal server error",
        "generated_contract_error",
    )
}
fn public_problem(
    status: u16,
    problem_type: &str,
    title: &str,
    code: &str,
) -> RequestValidationRejection {
    RequestValidationRejection(ProblemDetails {
        r#type: problem_type.to_string(),
        title: title.to_string(),
        status,
        code: code.to_string(),
        errors: Vec::new(),
    })
}
fn public_violation(keyword: &str) -> (&'static str, &'static str) {
    match keyword {
        "required" => ("required", "is required"),
        "type" => ("type", "has an invalid type"),
        "enum" => ("enum", "has an unsupported value"),
        "const" => ("const", "has an unsupported value"),
        "format" => ("format", "has an invalid format"),
        "pattern" => ("pattern", "does not match the required format"),
        "minLength" => ("min_length", "does not meet the length constraint"),
        "maxLength" => ("max_length", "does not meet the length constraint"),
        "minimum" => ("minimum", "is outside the allowed range"),
        "maximum" => ("maximum", "is outside the allowed range"),
        "exclusiveMinimum" => ("exclusive_minimum", "is outside the allowed range"),
        "exclusiveMaximum" => ("exclusive_maximum", "is outside the allowed range"),
        "multipleOf" => ("multiple_of", "is outside the allowed range"),
        "minItems" => ("min_items", "does not meet the item-count constraint"),
        "maxItems" => ("max_items", "does not meet the item-count constraint"),
        "uniqueItems" => ("unique_items", "contains duplicate items"),
        "minProperties" => {
            ("min_properties", "does not meet the property-count constraint")
        }
        "maxProperties" => {
            ("max_properties", "does not meet the property-count constraint")
        }
        "additionalProperties" => {
            ("additional_properties", "contains unsupported properties")
        }
        "unevaluatedProperties" => {
            ("unevaluated_properties", "contains unsupported properties")
        }
        "anyOf" => ("any_of", "does not match the required shape"),
        "oneOf" => ("one_of", "does not match the required shape"),
        "not" => ("not", "does not match the required shape"),
        _ => ("invalid_value", "is invalid"),
    }
}
fn escape_pointer_token(value: &str) -> String {
    value.replace('~', "~0").replace('/', "~1")
}
