use super::*;
use serde_json::json;

/// A small contract, and the same after a change.
fn changed(change: impl FnOnce(&mut Value)) -> Changes {
    let old = json!({
        "paths": { "/things/{id}": {
            "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string", "maxLength": 8 } }],
            "put": {
                "operationId": "putThing",
                "tags": ["things"],
                "description": "words",
                "parameters": [
                    { "name": "force", "in": "query", "schema": { "type": "boolean", "default": false } },
                    { "name": "sort", "in": "query", "schema": { "type": "string", "enum": ["a", "b"] } },
                ],
                "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/PutThing" } } } },
                "responses": {
                    "200": {
                        "headers": { "Location": { "schema": { "type": "string" } } },
                        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } },
                    },
                    "404": { "$ref": "#/components/responses/NotFound" },
                },
            },
        } },
        "components": {
            "responses": { "NotFound": { "description": "none" } },
            "schemas": {
                "PutThing": {
                    "type": "object", "required": ["name"], "additionalProperties": false,
                    "properties": { "name": { "type": "string", "pattern": "^a" }, "size": { "type": "integer", "minimum": 1 } },
                },
                "Thing": {
                    "type": "object", "required": ["name"],
                    "properties": {
                        "name": { "type": "string", "description": "words" },
                        "state": { "type": "string", "enum": ["on", "off"] },
                        "parts": { "type": "array", "items": { "$ref": "#/components/schemas/Thing" } },
                        "kind": { "type": "string", "x-values": { "enum": ["x"] } },
                    },
                },
            },
        },
    });
    let mut new = old.clone();
    change(&mut new);
    between(&old, &new)
}

fn at<'a>(contract: &'a mut Value, pointer: &str) -> &'a mut Value {
    contract.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}"))
}

fn remove(contract: &mut Value, pointer: &str, key: &str) {
    at(contract, pointer).as_object_mut().expect("an object").remove(key).expect("it is there");
}

const PUT: &str = "/paths/~1things~1{id}/put";
const ASKED: &str = "/components/schemas/PutThing";
const TOLD: &str = "/components/schemas/Thing";

#[test]
fn what_breaks_a_client_of_yesterday_is_called_so() {
    let put = |rest: &str| format!("{PUT}{rest}");
    let asked = |rest: &str| format!("{ASKED}{rest}");
    let told = |rest: &str| format!("{TOLD}{rest}");
    type Change<'a> = &'a dyn Fn(&mut Value);
    let rows: [(&str, Change<'_>); 26] = [
        ("is gone", &|c| remove(c, "/paths", "/things/{id}")),
        ("operationId was", &|c| {
            c.pointer_mut(&put("/operationId")).map(|id| *id = json!("set")).unwrap_or_default()
        }),
        ("tags was", &|c| *at(c, &put("/tags")) = json!(["others"])),
        ("query parameter sort: is gone", &|c| drop(at(c, &put("/parameters")).as_array_mut().map(Vec::pop))),
        ("sort: must be given now", &|c| at(c, &put("/parameters/1"))["required"] = json!(true)),
        ("is new and must be given", &|c| {
            at(c, &put("/parameters/1"))["name"] = json!("order");
            at(c, &put("/parameters/1"))["required"] = json!(true);
        }),
        ("enum was", &|c| *at(c, &put("/parameters/1/schema/enum")) = json!(["a"])),
        ("default was", &|c| *at(c, &put("/parameters/0/schema/default")) = json!(true)),
        ("maxLength was", &|c| *at(c, "/paths/~1things~1{id}/parameters/0/schema/maxLength") = json!(4)),
        ("body: must be sent now", &|c| at(c, &put("/requestBody"))["required"] = json!(true)),
        ("body: is gone", &|c| remove(c, PUT, "requestBody")),
        ("application/json: is gone", &|c| remove(c, &put("/requestBody/content"), "application/json")),
        ("field size must be given now", &|c| *at(c, &asked("/required")) = json!(["name", "size"])),
        ("field size is gone", &|c| remove(c, &asked("/properties"), "size")),
        ("minimum was", &|c| *at(c, &asked("/properties/size/minimum")) = json!(2)),
        ("minLength was null", &|c| at(c, &asked("/properties/name"))["minLength"] = json!(2)),
        ("pattern was", &|c| *at(c, &asked("/properties/name/pattern")) = json!("^b")),
        ("404: is gone", &|c| remove(c, &put("/responses"), "404")),
        ("201: is new, and no error", &|c| at(c, &put("/responses"))["201"] = json!({})),
        ("header Location is gone", &|c| remove(c, &put("/responses/200/headers"), "Location")),
        ("200 application/json: is gone", &|c| remove(c, &put("/responses/200/content"), "application/json")),
        ("model was", &|c| {
            at(c, &put("/responses/200/content/application~1json/schema"))["$ref"] =
                json!(format!("#{ASKED}"));
        }),
        ("field name is not always there", &|c| *at(c, &told("/required")) = json!([])),
        ("field kind is gone", &|c| remove(c, &told("/properties"), "kind")),
        ("type was", &|c| *at(c, &told("/properties/name/type")) = json!("integer")),
        ("enum was", &|c| *at(c, &told("/properties/state/enum")) = json!(["on", "off", "broken"])),
    ];
    for (words, change) in rows {
        let found = changed(change).breaking;
        assert!(found.iter().any(|one| one.contains(words)), "{words}: {found:?}");
    }
}

#[test]
fn what_the_promise_lets_come_is_an_addition() {
    let put = |rest: &str| format!("{PUT}{rest}");
    type Change<'a> = &'a dyn Fn(&mut Value);
    let rows: [(&str, Change<'_>); 8] = [
        ("is new", &|c| at(c, "/paths")["/more"] = json!({ "get": { "responses": {} } })),
        ("query parameter more: is new", &|c| {
            let more = json!({ "name": "more", "in": "query", "schema": { "type": "string" } });
            at(c, &put("/parameters")).as_array_mut().expect("an array").push(more);
        }),
        ("409: is new", &|c| at(c, &put("/responses"))["409"] = json!({})),
        ("field more is new", &|c| {
            at(c, &format!("{ASKED}/properties"))["more"] = json!({ "type": "string" })
        }),
        ("field more is new", &|c| {
            at(c, &format!("{TOLD}/properties"))["more"] = json!({ "type": "string" })
        }),
        ("x-values was", &|c| *at(c, &format!("{TOLD}/properties/kind/x-values/enum")) = json!(["x", "y"])),
        ("enum was", &|c| *at(c, &put("/parameters/1/schema/enum")) = json!(["a", "b", "c"])),
        ("maxLength was", &|c| *at(c, "/paths/~1things~1{id}/parameters/0/schema/maxLength") = json!(9)),
    ];
    for (words, change) in rows {
        let found = changed(change);
        assert!(found.breaking.is_empty(), "{words}: {:?}", found.breaking);
        assert!(found.additions.iter().any(|one| one.contains(words)), "{words}: {:?}", found.additions);
    }
}

#[test]
fn words_are_no_change() {
    let found = changed(|contract| {
        *at(contract, &format!("{PUT}/description")) = json!("others");
        *at(contract, &format!("{TOLD}/properties/name/description")) = json!("others");
    });
    assert!(found.breaking.is_empty() && found.additions.is_empty(), "{found:?}");
}

#[test]
fn the_version_has_to_say_it() {
    let breaking = || Changes { breaking: vec!["x".into()], additions: vec![] };
    let added = || Changes { breaking: vec![], additions: vec!["x".into()] };
    for (found, old, new, fits) in [
        (Changes::default(), "1.0.0", "1.0.0", true),
        (added(), "1.0.0", "1.0.0", false),
        (added(), "1.0.0", "1.0.1", false),
        (added(), "1.0.0", "1.1.0", true),
        (breaking(), "1.0.0", "1.9.0", false),
        (breaking(), "1.9.0", "2.0.0", true),
    ] {
        assert_eq!(found.fit(old, new).is_ok(), fits, "{found:?} {old} {new}");
    }
}
