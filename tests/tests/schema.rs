//! The versions of the report's schema: the promises to readers of an older minor version
//! (`docs/schema.md`). `probe/schema/frozen/` has every version.

use lab::library::{self, Query, Rules};
use lab::report;
use mapprobe::arch::Arch;
use mapprobe::report::SCHEMA_VERSION;
use serde_json::{Map, Value, json};
use std::fs;
use std::path::PathBuf;

const NAMES: [&str; 3] = ["mapprobe.report", "mapprobe.sweep", "mapprobe.free-bits"];
/// Keys without meaning for documents.
const PROSE: [&str; 3] = ["description", "title", "$comment"];

fn directory() -> PathBuf {
    dist::workspace::root().join("probe/schema")
}

fn read(path: PathBuf) -> Value {
    let text = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).unwrap()
}

fn current(name: &str) -> Value {
    read(directory().join(format!("{name}.json")))
}

/// The frozen versions of a schema.
fn frozen(name: &str) -> Vec<(String, Value)> {
    let files =
        fs::read_dir(directory().join("frozen")).unwrap().map(|entry| entry.unwrap().path());
    let version = |path: &PathBuf| {
        let file = path.file_name()?.to_str()?;
        Some(file.strip_prefix(name)?.strip_prefix('.')?.strip_suffix(".json")?.to_owned())
    };
    files.filter_map(|path| Some((version(&path)?, read(path)))).collect()
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap()
}

/// The promises of a schema that a later one breaks, each with its path. Only new keys are allowed.
fn broken(path: &str, old: &Value, new: &Value) -> Vec<String> {
    let (Value::Object(before), Value::Object(after)) = (old, new) else {
        return if old == new { vec![] } else { vec![format!("{path}: {old} became {new}")] };
    };
    let mut found = Vec::new();
    for (key, old) in before.iter().filter(|(key, _)| !PROSE.contains(&key.as_str())) {
        let path = format!("{path}/{key}");
        match (key.as_str(), after.get(key)) {
            (_, None) => found.push(format!("{path} is gone")),
            ("required", Some(new)) => {
                let new = new.as_array().unwrap();
                let optional = old.as_array().unwrap().iter().filter(|key| !new.contains(key));
                found.extend(optional.map(|key| format!("{path}: {key} became optional")));
            }
            ("properties" | "$defs", Some(new)) => {
                for (key, old) in old.as_object().unwrap() {
                    let path = format!("{path}/{key}");
                    match new.get(key) {
                        Some(new) => found.extend(broken(&path, old, new)),
                        None => found.push(format!("{path} is gone")),
                    }
                }
            }
            (_, Some(new)) => found.extend(broken(&path, old, new)),
        }
    }
    let ruled =
        after.keys().filter(|key| !before.contains_key(*key) && !PROSE.contains(&key.as_str()));
    found.extend(ruled.map(|key| format!("{path}/{key} is a new rule")));
    found
}

/// The schema without additional properties.
fn closed(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let mut closed: Map<String, Value> =
                members.iter().map(|(key, value)| (key.clone(), self::closed(value))).collect();
            if members.contains_key("properties") && members.contains_key("type") {
                closed.insert("additionalProperties".into(), false.into());
            }
            Value::Object(closed)
        }
        Value::Array(items) => Value::Array(items.iter().map(closed).collect()),
        other => other.clone(),
    }
}

/// Documents about kernels of all architectures, and about simulated kernels that lack something.
fn documents() -> Vec<Value> {
    let directory = dist::workspace::root().join("probe/tests/recordings/lab");
    let mut reports = Vec::new();
    for file in fs::read_dir(directory).unwrap() {
        reports.push(library::replay(&fs::read(file.unwrap().path()).unwrap(), false).unwrap());
    }
    for query in Query::ALL {
        for (arch, rules) in [
            (Arch::X86_64, Rules { validate: false, noreplace: false, ..Rules::x86_6_1() }),
            (Arch::X86_64, Rules { no_memfd: true, ..Rules::x86_6_1() }),
            (Arch::Hppa, Rules::parisc_6_1()),
            (Arch::X86_64, Rules::wsl1()),
        ] {
            reports.push(library::simulate(arch, rules, query));
        }
    }
    reports.iter().map(|report| report::parse(library::json(report).as_bytes()).unwrap()).collect()
}

fn faults(schema: &Value, document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn this_version_is_frozen_and_breaks_no_promise() {
    for name in NAMES {
        let (now, frozen) = (current(name), frozen(name));
        let same = frozen.iter().find(|(version, _)| version == SCHEMA_VERSION);
        let (_, same) = same
            .unwrap_or_else(|| panic!("probe/schema/frozen has no {name}.{SCHEMA_VERSION}.json"));
        for (version, old) in
            frozen.iter().filter(|(version, _)| major(version) == major(SCHEMA_VERSION))
        {
            let found = broken("", old, &now);
            assert!(
                found.is_empty(),
                "{name} breaks a promise of {version}, which needs a major version:\n{}",
                found.join("\n")
            );
        }
        // In both directions: a new key needs a minor version.
        let found = broken("", &now, same);
        assert!(
            found.is_empty(),
            "{name} has more than {SCHEMA_VERSION}, which needs a minor version:\n{}",
            found.join("\n")
        );
    }
}

#[test]
fn documents_fit_every_frozen_version() {
    let documents = documents();
    for name in NAMES {
        let documents: Vec<&Value> =
            documents.iter().filter(|document| document["schema"] == name).collect();
        assert!(documents.len() >= 4, "{name}");
        for document in documents {
            assert_eq!(document["schema_version"], SCHEMA_VERSION);
            for (version, old) in
                frozen(name).iter().filter(|(version, _)| major(version) == major(SCHEMA_VERSION))
            {
                assert_eq!(faults(old, document), [""; 0], "{name} {version}");
            }
            assert_eq!(
                faults(&closed(&current(name)), document),
                [""; 0],
                "{name}: a key that is not in the schema"
            );
        }
    }
}

#[test]
fn a_broken_promise_is_named() {
    let old = current("mapprobe.report");
    let change = |pointer: &str, change: &dyn Fn(&mut Value)| {
        let mut new = old.clone();
        change(new.pointer_mut(pointer).unwrap());
        broken("", &old, &new)
    };
    let remove = |key: &'static str| {
        move |value: &mut Value| drop(value.as_object_mut().unwrap().shift_remove(key))
    };
    let row = "/properties/flags/items";
    // Removed, renamed, optional, another type, a value less, a value more, another rule.
    assert_eq!(change("/properties", &remove("kernel")), ["/properties/kernel is gone"]);
    assert_eq!(
        change(&format!("{row}/properties"), &remove("verdict")),
        ["/properties/flags/items/properties/verdict is gone"]
    );
    assert_eq!(
        change(&format!("{row}/required"), &|keys| drop(keys.as_array_mut().unwrap().remove(0))),
        ["/properties/flags/items/required: \"name\" became optional"]
    );
    assert_eq!(
        change(&format!("{row}/properties/reason/type"), &|kind| *kind = json!(["string", "null"]))
            .len(),
        1
    );
    assert_eq!(
        change(&format!("{row}/properties/verdict/enum"), &|words| drop(
            words.as_array_mut().unwrap().pop()
        ))
        .len(),
        1
    );
    assert_eq!(
        change(&format!("{row}/properties/verdict/enum"), &|words| words
            .as_array_mut()
            .unwrap()
            .push("maybe".into()))
        .len(),
        1
    );
    assert_eq!(
        change("/$defs/hex", &|hex| hex["maxLength"] = 9.into()),
        ["/$defs/hex/maxLength is a new rule"]
    );
    // A new key, and other prose.
    assert_eq!(change("/properties", &|keys| keys["more"] = json!({"type": "string"})), [""; 0]);
    assert_eq!(
        change("", &|schema| schema["required"].as_array_mut().unwrap().push("more".into())),
        [""; 0]
    );
    assert_eq!(change("", &|schema| schema["description"] = "other".into()), [""; 0]);
}
