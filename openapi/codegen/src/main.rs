//! `cargo codegen`: the contract in `openapi/` becomes the code in `generated/src`.
//! `cargo codegen --check` writes nothing and fails if what is there is not what would be written.
//! `cargo codegen --released` compares it with the last release's, in `openapi/released/`.
//!
//! May not know anything of the daemon: its input is the contract, its output is source.

mod answers;
mod breaking;
mod form30;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use openapi_to_rust::config::{ServerSection, ServerValidationSection};
use openapi_to_rust::type_mapping::DateStrategy;
use openapi_to_rust::{
    CodeGenerator, DerivesConfig, GeneratorConfig, SchemaAnalyzer, TypeMapper, TypeMappingConfig,
};

const CONTRACT: &str = "openapi/containerd.v1.yaml";
/// The contract as it was released last. Copied from the one above with each release, and at no other time.
const RELEASED: &str = "openapi/released/containerd.v1.yaml";
const OUTPUT: &str = "generated/src";
const CRATE_ROOT: &str = "lib.rs";
const HEAD: &str = "//! Written by cargo codegen; do not edit by hand.\n\n";
const VIOLATION: &str = include_str!("../templates/violation.rs");
/// JSON Schema takes 9.0 for an integer, serde does not: a fault of the request's, not of the daemon's.
const CONTRACT_ERROR: &str = "    let typed = ::serde_json::from_value(instance)
        .map_err(|_| generated_contract_error())?;
    Ok(Some(typed))";
const TYPED_ERROR: &str = "    let typed = ::serde_json::from_value(instance)
        .map_err(|error| schema_parameter_problem(\"/body\", \"type\", &error.to_string()))?;
    Ok(Some(typed))";
const DRIFT: &str = "the generator's validation.rs has another shape than the one that with_words() mends";

/// Operations whose answers the generator cannot say; `src/http/unmodelled.rs` serves them by hand:
/// streams that stay open or are of any length, and documents that are bytes as they lie in the program.
const BY_HAND: [&str; 12] = [
    "getCheckpointLog",
    "getEvents",
    "getLogs",
    "exportCheckpoint",
    "importCheckpoint",
    "getContractJson",
    "getContractJson30",
    "getContractYaml",
    "getRoot",
    "getSwaggerUiRedirect",
    "getSwaggerUi",
    "getSwaggerUiFile",
];

fn main() -> ExitCode {
    let asked = |name| std::env::args().any(|argument| argument == name);
    let done = if asked("--released") { released() } else { run(asked("--check")) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("codegen: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn root() -> Result<PathBuf> {
    // Asked for at run time: a program that was compiled in another clone, with one target folder for both, would
    // read that one's contract.
    let own = std::env::var_os("CARGO_MANIFEST_DIR").context("run it by cargo codegen")?;
    Ok(Path::new(&own).join("../.."))
}

fn read(contract: &'static str) -> Result<serde_json::Value> {
    let text = fs::read_to_string(root()?.join(contract)).context(contract)?;
    serde_norway::from_str(&text).context(contract)
}

/// Fails when the contract has changed since its last release in a way that its version does not say.
fn released() -> Result<()> {
    let (old, new) = (read(RELEASED)?, read(CONTRACT)?);
    let version = |contract: &serde_json::Value| contract["info"]["version"].as_str().map(str::to_owned);
    let (was, is) = (version(&old).context(RELEASED)?, version(&new).context(CONTRACT)?);
    let changes = breaking::between(&old, &new);
    changes.fit(&was, &is)?;
    let (broken, added) = (changes.breaking.len(), changes.additions.len());
    println!("codegen: {is} keeps what {was} promised or says so: {broken} breaking, {added} added");
    Ok(())
}

fn run(check: bool) -> Result<()> {
    let root = root()?;
    let files = generate(read(CONTRACT)?)?;
    if check { compare(&root, &files) } else { write(&root, &files) }
}

/// Every generated file by its path under `generated/src`.
fn generate(contract: serde_json::Value) -> Result<BTreeMap<PathBuf, String>> {
    let operations = operation_ids(&contract)?;
    for name in BY_HAND {
        if !operations.contains(&name.to_owned()) {
            bail!("{name} is served by hand but is not in the contract");
        }
    }
    let document = line(&contract)?;
    let document_30 = line(&form30::generate(&contract)?)?;

    // Times are strings as the contract has them: formatting is the daemon's, once.
    let types = TypeMappingConfig { date_time: DateStrategy::String, ..TypeMappingConfig::default() };
    let mut analysis =
        SchemaAnalyzer::with_type_mapper(contract.clone(), TypeMapper::new(types.clone()))?.analyze()?;
    let generator = CodeGenerator::new(GeneratorConfig {
        output_dir: OUTPUT.into(),
        module_name: "containerd_rest_api".to_owned(),
        enable_async_client: false,
        types,
        derives: DerivesConfig {
            string_enums: vec!["Copy".into(), "PartialEq".into(), "Eq".into()],
            ..DerivesConfig::default()
        },
        server: Some(ServerSection {
            framework: "axum".to_owned(),
            operations: operations.iter().filter(|id| !BY_HAND.contains(&id.as_str())).cloned().collect(),
            prune_models: false,
            validation: ServerValidationSection { max_body_bytes: 1024 * 1024, ..Default::default() },
        }),
        ..GeneratorConfig::default()
    });
    let result = generator.generate_all(&mut analysis)?;

    let mut files: BTreeMap<PathBuf, String> =
        result.files.into_iter().map(|file| (file.path, file.content)).collect();
    files.insert(result.mod_file.path, result.mod_file.content);
    let root = files.remove(Path::new("mod.rs")).context("the generator wrote no mod.rs")?;
    files.insert(CRATE_ROOT.into(), root);
    files.retain(|path, _| path.extension().is_some_and(|extension| extension == "rs"));
    let validation = files.get_mut(Path::new("server/validation.rs")).context("no validation.rs")?;
    *validation = with_words(validation)?;
    files.insert("violation.rs".into(), format!("{HEAD}{VIOLATION}"));
    files.insert("answers.rs".into(), format!("{HEAD}{}", answers::generate(&contract)?));
    files.entry(CRATE_ROOT.into()).and_modify(|root| {
        root.insert_str(0, "#![allow(clippy::all, missing_docs, rustdoc::all)]\n");
        root.push_str("\nmod answers;\nmod violation;\n\n/// The contract as JSON, as it is served.\n");
        root.push_str("pub const OPENAPI_JSON: &str = include_str!(\"openapi.json\");\n");
        root.push_str("\n/// The same as OpenAPI 3.0.3.\n");
        root.push_str("pub const OPENAPI_3_0_JSON: &str = include_str!(\"openapi-3.0.json\");\n");
    });
    files.insert("openapi.json".into(), document);
    files.insert("openapi-3.0.json".into(), document_30);
    Ok(files)
}

fn line(document: &serde_json::Value) -> Result<String> {
    Ok(serde_json::to_string(document)? + "\n")
}

/// The generator's validation names neither the unknown field nor the bound that was crossed; the
/// pointer and the words that a person needs come from `violation.rs`. Fails when the generator no
/// longer writes the text that this replaces.
fn with_words(validation: &str) -> Result<String> {
    let (head, rest) =
        validation.split_once("    for error in validator.iter_errors(instance) {\n").context(DRIFT)?;
    let (_, tail) = rest.split_once("        if !errors.contains(&violation) {").context(DRIFT)?;
    let (_, tail) = tail.split_once("    errors\n        .sort_by(").context(DRIFT)?;
    let head = replaced(head, CONTRACT_ERROR, TYPED_ERROR)?;
    Ok(format!(
        "{head}    for violation in validator.iter_errors(instance).flat_map(|error| crate::violation::of(location, &error)) {{
        if errors.len() < MAX_VALIDATION_ERRORS && !errors.contains(&violation) {{
            errors.push(violation);
        }}
    }}
    errors
        .sort_by({tail}"
    ))
}

fn replaced(text: &str, from: &str, to: &str) -> Result<String> {
    if !text.contains(from) {
        bail!(DRIFT);
    }
    Ok(text.replacen(from, to, 1))
}

fn operation_ids(contract: &serde_json::Value) -> Result<Vec<String>> {
    let paths = contract["paths"].as_object().context("the contract has no paths")?;
    Ok(paths
        .values()
        .filter_map(serde_json::Value::as_object)
        .flat_map(|item| item.values())
        .filter_map(|operation| operation["operationId"].as_str())
        .map(str::to_owned)
        .collect())
}

fn write(root: &Path, files: &BTreeMap<PathBuf, String>) -> Result<()> {
    let output = root.join(OUTPUT);
    for stale in stale(&output, files)? {
        fs::remove_file(&stale).with_context(|| stale.display().to_string())?;
    }
    for (path, content) in files {
        let target = output.join(path);
        fs::create_dir_all(target.parent().context("a file has a folder")?)?;
        fs::write(&target, content).with_context(|| target.display().to_string())?;
    }
    println!("codegen: {} files in {OUTPUT}", files.len());
    Ok(())
}

fn compare(root: &Path, files: &BTreeMap<PathBuf, String>) -> Result<()> {
    let output = root.join(OUTPUT);
    let mut drifted: Vec<String> =
        stale(&output, files)?.iter().map(|path| path.display().to_string()).collect();
    for (path, content) in files {
        if fs::read_to_string(output.join(path)).ok().as_ref() != Some(content) {
            drifted.push(path.display().to_string());
        }
    }
    if drifted.is_empty() {
        println!("codegen: {OUTPUT} is what {CONTRACT} says");
        return Ok(());
    }
    bail!("{OUTPUT} is not what {CONTRACT} says ({}): run cargo codegen and commit", drifted.join(", "))
}

/// Files in the output folder that the generator would not write.
fn stale(output: &Path, files: &BTreeMap<PathBuf, String>) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![output.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if !files.contains_key(path.strip_prefix(output)?) {
                found.push(path);
            }
        }
    }
    Ok(found)
}
