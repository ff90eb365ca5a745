//! `/admin/accounts/upload-json`: a file of the AWS SSO cache, from a form.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use qm_accounts::View;
use qm_credential::{Arn, ArnOrigin, Draft};
use serde_json::{Value, json};

use super::accounts::{free, usual};
use super::verbs::lasts_s;
use crate::door::By;
use crate::exchange::{self, SMALL};
use crate::refused::Refused;
use crate::{Desk, moment, one};

/// Most fields of the form.
const MOST_FIELDS: usize = 20;

/// The form.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "the schema of what is read field by field")]
pub(crate) struct UploadForm {
    /// A file of the AWS SSO cache.
    #[schema(value_type = String, format = Binary)]
    json_file: Vec<u8>,
    name: Option<String>,
    profile_arn: Option<String>,
    #[schema(minimum = 1)]
    requests_per_minute: Option<u32>,
    notes: Option<String>,
}

/// What the form says.
#[derive(Default)]
struct Form {
    json_file: Option<Bytes>,
    name: Option<String>,
    profile_arn: Option<String>,
    requests_per_minute: Option<String>,
    notes: Option<String>,
}

/// Adds the account and renews its token. One whose token cannot be renewed is there all the same: 201 says so.
#[utoipa::path(
    post, path = "/admin/accounts/upload-json", tag = "admin",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 200, body = Object), (status = 201, body = Object), (status = 400), (status = 409),
        (status = 413),
    ),
)]
pub(crate) async fn upload(
    State(desk): State<Arc<Desk>>,
    By(actor): By,
    request: Request,
) -> Result<Response, Refused> {
    let form = Form::read(request).await?;
    let draft = form.draft(&moment::compact((desk.now)()))?;
    free(&desk.fleet, draft.label.as_deref().unwrap_or_default(), None).await?;
    let view = desk.fleet.add(&draft, &actor).await.map_err(|error| {
        // In this dialect, a login that is known is a bad request.
        let refused = Refused::from(error);
        if refused.code == "duplicate" { refused.with_status(StatusCode::BAD_REQUEST) } else { refused }
    })?;
    match desk.fleet.refresh(&view.id, &actor).await {
        Ok(view) => exchange::ok(&json!({
            "success": true,
            "message": "Account created and token refreshed",
            "account": account(&view),
            "token_refresh": { "success": true, "expires_in": lasts_s(view.login.expires_ms, (desk.now)()) },
        })),
        Err(error) => exchange::answer(
            StatusCode::CREATED,
            &json!({
                "success": true,
                "message": "Account created, but its token could not be refreshed",
                "account": account(&view),
                "token_refresh": { "success": false, "error": error.to_string() },
                "warning": "The account is kept and serves once a refresh succeeds. Check its login.",
            }),
        ),
    }
}

fn account(view: &View) -> Value {
    json!({
        "id": view.number,
        "name": view.label,
        "client_id": view.login.client_id,
        "profile_arn": view.wishes.arn.as_deref().or(view.login.arn.as_ref().map(|(arn, _)| arn.as_str())),
        "is_active": view.wishes.enabled,
        "is_healthy": super::shape::is_healthy(view),
        "created_at": moment::text(view.created_ms),
    })
}

impl Form {
    async fn read(request: Request) -> Result<Self, Refused> {
        let bad = || Refused::invalid("Send a form (multipart/form-data) with the file as `json_file`.");
        let (parts, body) = request.into_parts();
        // Read whole first: it is small, and bounded in size and time like any other.
        let whole = exchange::bytes(body, SMALL).await?;
        let request = Request::from_parts(parts, Body::from(whole));
        let mut fields = Multipart::from_request(request, &()).await.map_err(|_| bad())?;
        let mut form = Self::default();
        for _ in 0..MOST_FIELDS {
            let Some(field) = fields.next_field().await.map_err(|_| bad())? else { return Ok(form) };
            let name = field.name().unwrap_or_default().to_owned();
            let bytes = field.bytes().await.map_err(|_| bad())?;
            form.put(&name, bytes).ok_or_else(bad)?;
        }
        Err(bad())
    }

    /// Nothing for a text that is none.
    fn put(&mut self, name: &str, bytes: Bytes) -> Option<()> {
        if name == "json_file" {
            self.json_file = Some(bytes);
            return Some(());
        }
        let text = std::str::from_utf8(&bytes).ok()?.trim();
        let text = Some(text.to_owned()).filter(|text| !text.is_empty());
        match name {
            "name" => self.name = text,
            "profile_arn" => self.profile_arn = text,
            "requests_per_minute" => self.requests_per_minute = text,
            "notes" => self.notes = text,
            // Forms of later versions may have more.
            _ => {}
        }
        Some(())
    }

    fn draft(self, stamp: &str) -> Result<Draft, Refused> {
        let Self { json_file, name, profile_arn, requests_per_minute, notes } = self;
        let file = json_file.ok_or_else(|| Refused::invalid("The form has no file `json_file`."))?;
        let mut draft = one::draft(&file)?;
        draft.label = name.or(draft.label).or_else(|| Some(format!("AWS-SSO-{stamp}")));
        draft.notes = notes.or(draft.notes);
        if let Some(text) = requests_per_minute {
            let rpm =
                text.parse().map_err(|_| Refused::invalid("requests_per_minute must be a whole number."))?;
            draft.rpm = Some(rpm);
        }
        if let Some(arn) = profile_arn {
            let arn = Arn::parse(&arn, ArnOrigin::Operator, &draft.credential.kind);
            draft.credential.arn =
                Some(arn.map_err(|flaw| Refused::invalid(format!("The profile ARN {flaw}.")))?);
        }
        Ok(usual(draft))
    }
}
