//! openapi-3.0.json, as the daemon serves it, becomes a client in `OUT_DIR`.

use std::{env, fs};

use progenitor::{GenerationSettings, Generator, InterfaceStyle};
use serde_json::{Value, json};

const CONTRACT: &str = "openapi-3.0.json";

fn main() {
    println!("cargo::rerun-if-changed={CONTRACT}");
    let text = fs::read_to_string(CONTRACT)
        .expect("the contract is missing: curl -O localhost:8888/openapi-3.0.json");
    let mut contract: Value = serde_json::from_str(&text).expect("JSON");
    suit(&mut contract);
    let contract = serde_json::from_value(contract).expect("an OpenAPI 3.0 document");
    let mut generator = Generator::new(GenerationSettings::new().with_interface(InterfaceStyle::Builder));
    let client = generator.generate_tokens(&contract).expect("a client");
    let client = prettyplease::unparse(&syn::parse2(client).expect("Rust"));
    fs::write(format!("{}/client.rs", env::var("OUT_DIR").unwrap()), client).unwrap();
}

/// progenitor 0.15 gives a type to application/json alone, knows one media type of a body and no archives, and makes a
/// NonZeroU32 of whatever begins at 1.
fn suit(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(problem) = object.remove("application/problem+json") {
                object.insert("application/json".to_owned(), problem);
            }
            if let Some(archive) = object.remove("application/x-tar") {
                *object = json!({ "application/octet-stream": archive }).as_object().unwrap().clone();
            }
            if object.get("type").is_some_and(|kind| kind == "integer") {
                object.remove("minimum");
            }
            object.values_mut().for_each(suit);
        }
        Value::Array(items) => items.iter_mut().for_each(suit),
        _ => {}
    }
}
