//! Schemas of what no Rust type says: lists of words, and bodies in any spelling.

use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};

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
    #[schema(rename = "refreshToken", write_only)]
    refresh_token: Option<String>,
    #[schema(rename = "accessToken", write_only)]
    access_token: Option<String>,
    enabled: Option<bool>,
}

/// A text that is one of these.
pub(crate) fn one_of<const N: usize>(words: [&'static str; N]) -> Schema {
    let text: Object = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words)).build();
    Schema::Object(text)
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
