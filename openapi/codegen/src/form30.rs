//! The contract as OpenAPI 3.0.3, for the generators that read nothing newer (progenitor). Mechanical: what 3.0.3 writes
//! otherwise is written so, and what it cannot say is an error here, so that the two forms never say different things.

use anyhow::{Result, bail};
use serde_json::{Map, Value};

/// JSON Schema's words that 3.0.3 lacks (OpenAPI 3.0.3, "Schema Object"); `examples` it has in another form.
const UNSAYABLE: [&str; 17] = [
    "const",
    "contains",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "if",
    "maxContains",
    "minContains",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
    "$defs",
    "contentEncoding",
    "contentMediaType",
];

pub(crate) fn generate(contract: &Value) -> Result<Value> {
    let mut document = contract.clone();
    document["openapi"] = "3.0.3".into();
    for word in ["webhooks", "jsonSchemaDialect"] {
        if document.get(word).is_some() {
            bail!("OpenAPI 3.0.3 has no {word}");
        }
    }
    if let Some(info) = document["info"].as_object_mut() {
        info.shift_remove("summary");
        info.get_mut("license")
            .and_then(Value::as_object_mut)
            .map(|license| license.shift_remove("identifier"));
    }
    visit(&mut document, "")?;
    Ok(document)
}

/// Every schema of the document, wherever it stands; what stands in an example is nobody's schema.
fn visit(value: &mut Value, at: &str) -> Result<()> {
    match value {
        Value::Object(object) => {
            for (key, child) in object.iter_mut() {
                let at = format!("{at}/{key}");
                match key.as_str() {
                    "example" | "examples" => {}
                    "schema" | "x-item-schema" => schema(child, &at)?,
                    "schemas" if at == "/components/schemas" => each(child, &at)?,
                    _ => visit(child, &at)?,
                }
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| visit(item, at)),
        _ => Ok(()),
    }
}

fn each(schemas: &mut Value, at: &str) -> Result<()> {
    let mut schemas = schemas.as_object_mut().into_iter().flatten();
    schemas.try_for_each(|(name, child)| schema(child, &format!("{at}/{name}")))
}

fn schema(value: &mut Value, at: &str) -> Result<()> {
    let Value::Object(object) = value else {
        bail!("{at}: OpenAPI 3.0.3 has no schema that is true or false")
    };
    if object.contains_key("$ref") && object.len() > 1 {
        bail!("{at}: OpenAPI 3.0.3 ignores what stands beside $ref");
    }
    if let Some(word) = UNSAYABLE.iter().find(|word| object.contains_key(**word)) {
        bail!("{at}: OpenAPI 3.0.3 has no {word}");
    }
    for word in ["exclusiveMinimum", "exclusiveMaximum"] {
        if object.get(word).is_some_and(Value::is_number) {
            bail!("{at}: {word} is a boolean in OpenAPI 3.0.3; name the bound itself");
        }
    }
    if object.get("type").is_some_and(|kind| kind.is_array() || kind == "null") {
        bail!("{at}: OpenAPI 3.0.3 has one type a schema and no null");
    }
    if let Some(Value::Array(examples)) = object.shift_remove("examples") {
        object.extend(examples.into_iter().next().map(|example| ("example".to_owned(), example)));
    }
    below(object, at)
}

fn below(object: &mut Map<String, Value>, at: &str) -> Result<()> {
    for (key, child) in object.iter_mut() {
        let at = format!("{at}/{key}");
        match key.as_str() {
            "properties" => each(child, &at)?,
            "items" | "not" => schema(child, &at)?,
            "additionalProperties" if child.is_object() => schema(child, &at)?,
            "allOf" | "anyOf" | "oneOf" => {
                child.as_array_mut().into_iter().flatten().try_for_each(|child| schema(child, &at))?;
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn with(schema: Value) -> Value {
        json!({ "openapi": "3.1.0", "info": { "license": { "name": "x", "identifier": "x" }, "summary": "x" },
            "components": { "schemas": { "Thing": schema } } })
    }

    #[test]
    fn what_3_0_3_writes_otherwise_is_written_so() {
        let made = generate(&with(json!({ "type": "string", "examples": ["a", "b"] }))).unwrap();
        assert_eq!(
            made,
            json!({ "openapi": "3.0.3", "info": { "license": { "name": "x" } },
                "components": { "schemas": { "Thing": { "type": "string", "example": "a" } } } })
        );
    }

    #[test]
    fn what_3_0_3_cannot_say_is_refused_with_its_place() {
        for schema in [
            json!({ "type": ["string", "null"] }),
            json!({ "const": 1 }),
            json!({ "type": "integer", "exclusiveMinimum": 0 }),
            json!({ "$ref": "#/components/schemas/Other", "description": "x" }),
            json!(true),
        ] {
            let whole = json!({ "type": "object", "properties": { "part": schema } });
            let error = generate(&with(whole)).unwrap_err().to_string();
            assert!(error.starts_with("/components/schemas/Thing/properties/part: "), "{error}");
        }
    }

    #[test]
    fn an_example_is_nobody_s_schema() {
        let mut contract = with(json!({ "type": "object" }));
        contract["components"]["examples"] = json!({ "odd": { "value": { "schema": { "const": 1 } } } });
        generate(&contract).unwrap();
    }
}
