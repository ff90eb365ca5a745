//! The document that describes the routes: it is what is committed, it has every route, and its routes answer as it says.

use std::collections::BTreeSet;
use std::path::Path;

use qm_admin::{openapi, table};
use serde_json::Value;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../api/admin.openapi.json");

fn document() -> Value {
    serde_json::from_str(&openapi()).unwrap()
}

/// Every operation: its path, its method, and what is said of it.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .iter()
            .map(move |(method, it)| (path.clone(), method.to_uppercase(), it.clone()))
    });
    all.collect()
}

#[test]
fn the_committed_document_is_that_of_the_code() {
    if std::env::var_os("QM_WRITE_OPENAPI").is_some() {
        std::fs::write(COMMITTED, openapi()).unwrap();
    }
    let committed = std::fs::read_to_string(Path::new(COMMITTED)).unwrap_or_default();
    assert!(
        committed == openapi(),
        "api/admin.openapi.json is not what the code says. Write it anew: \
         QM_WRITE_OPENAPI=1 cargo test -p qm-admin --test routes openapi"
    );
}

#[test]
fn the_document_has_every_route_and_no_other() {
    let told: BTreeSet<(String, String)> =
        operations(&document()).into_iter().map(|(path, method, _)| (path, method)).collect();
    let there: BTreeSet<(String, String)> = table()
        .flat_map(|(path, methods)| methods.iter().map(move |method| (path.to_owned(), (*method).to_owned())))
        .collect();
    assert_eq!(
        told.difference(&there).collect::<Vec<_>>(),
        Vec::<&(String, String)>::new(),
        "told, not there"
    );
    assert_eq!(
        there.difference(&told).collect::<Vec<_>>(),
        Vec::<&(String, String)>::new(),
        "there, not told"
    );
}

#[test]
fn every_operation_says_what_it_is_and_how_it_refuses() {
    let document = document();
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let place = format!("{method} {path}");
        assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{place}");
        assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{place}");
        assert!(operation["tags"].is_array(), "{place}");
        let kind = if path.starts_with("/api/v1") { "application/problem+json" } else { "application/json" };
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(!response["description"].as_str().unwrap().is_empty(), "{place} {status}");
            if status.starts_with(['4', '5']) && path != "/api/login" {
                assert!(response["content"][kind]["schema"]["$ref"].is_string(), "{place} {status}");
            }
        }
    }
    // Every reference leads somewhere.
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}
