//! Schemas of what no Rust type says: lists of words, and bodies in any spelling.

use qm_pool::Strategy;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};

/// One account, in any spelling that an import takes: camel case or snake case, ours or another system's.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of what the importer reads")]
pub(crate) struct AnyAccount {
    #[schema(max_length = 200)]
    label: Option<String>,
    #[schema(rename = "clientId")]
    client_id: Option<String>,
    #[schema(rename = "clientSecret", write_only)]
    client_secret: Option<String>,
    #[schema(rename = "refreshToken", write_only, min_length = 1)]
    refresh_token: Option<String>,
    #[schema(rename = "accessToken", write_only)]
    access_token: Option<String>,
    enabled: Option<bool>,
}

/// A text that is one of these.
pub(crate) fn one_of(words: impl IntoIterator<Item = &'static str>) -> Schema {
    let text: Object = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build();
    Schema::Object(text)
}

/// A text that is one of these, or `null`.
fn one_of_or_null(words: impl IntoIterator<Item = &'static str>) -> Schema {
    let words = words.into_iter().map(Value::from).chain([Value::Null]);
    let types = SchemaType::from_iter([Type::String, Type::Null]);
    Schema::Object(ObjectBuilder::new().schema_type(types).enum_values(Some(words)).build())
}

/// The number of a conversation: 64 bits of a hash.
pub(crate) fn affinity() -> Schema {
    let most = usize::try_from(u64::MAX).unwrap_or(usize::MAX);
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    Schema::Object(number.minimum(Some(0_usize)).maximum(Some(most)).build())
}

/// Ways to order accounts.
pub(crate) fn account_sorts() -> Schema {
    one_of([
        "number",
        "created",
        "updated",
        "label",
        "state",
        "success",
        "errors",
        "requests",
        "last_used",
        "priority",
    ])
}

/// Up or down.
pub(crate) fn orders() -> Schema {
    one_of(["asc", "desc"])
}

/// How an account came here.
pub(crate) fn origins() -> Schema {
    one_of(["api", "login", "import", "environment"])
}

/// What a key opens, one of it.
pub(crate) fn scopes() -> Schema {
    one_of(["inference", "read", "admin"])
}

/// What a key opens.
pub(crate) fn many_scopes() -> Schema {
    Schema::Array(ArrayBuilder::new().items(RefOr::T(scopes())).min_items(Some(1)).build())
}

/// What a key is to open; `null` is as good as nothing.
pub(crate) fn scopes_wished() -> Schema {
    let types = SchemaType::from_iter([Type::Array, Type::Null]);
    let many = ArrayBuilder::new().schema_type(types).items(RefOr::T(scopes())).min_items(Some(1));
    Schema::Array(many.build())
}

/// How a key came here.
pub(crate) fn key_origins() -> Schema {
    one_of(["api", "setup", "cli"])
}

/// The limits of a key: `crate::openapi` has their schema.
pub(crate) fn limits() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name("Limits"))
}

/// The limits a key is to have; `null` is as good as nothing.
pub(crate) fn limits_wished() -> Schema {
    let none = ObjectBuilder::new().schema_type(Type::Null);
    OneOfBuilder::new().item(none).item(Ref::from_schema_name("Limits")).into()
}

/// Lengths of periods.
pub(crate) fn steps() -> Schema {
    one_of(["hour", "day"])
}

/// Who may have rows of their own.
pub(crate) fn groups() -> Schema {
    one_of(["none", "key", "account", "model", "protocol", "owner", "team"])
}

/// Most of what.
pub(crate) fn usage_orders() -> Schema {
    one_of(["requests", "tokens", "credits", "failed"])
}

/// Forms of exports.
pub(crate) fn forms() -> Schema {
    one_of(["csv", "json"])
}

/// How a request ended.
pub(crate) fn outcomes() -> Schema {
    one_of(["ok", "client_gone", "refused", "failed"])
}

/// Forms of the export of accounts.
pub(crate) fn account_forms() -> Schema {
    one_of_or_null(["json", "lines"])
}

/// A rule by which accounts are to be chosen.
pub(crate) fn strategy_wished() -> Schema {
    one_of_or_null(Strategy::words())
}

/// Rules by which accounts are chosen.
pub(crate) fn strategies() -> Schema {
    one_of(Strategy::words())
}

/// Only `false` is taken.
pub(crate) fn no() -> Schema {
    ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([false])).into()
}
