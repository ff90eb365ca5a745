//! Calls beside the chat: models, profiles, usage. They fail on their own, and say nothing of whether the account can
//! chat (spec/upstream-2026.md §1.5): no failure here counts against it.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use qm_amazonq::fault::{Context, Failure, Remedy};
use qm_amazonq::surface::{Operation, Surface};
use qm_canon::{Fault, Kind, Origin};
use serde_json::{Map, Value};

use crate::account::understand;
use crate::client::{self, Client, Reply, Signed};
use crate::endpoint::Endpoints;
use crate::query;
use crate::refresh::Bearer;

/// Where control calls are tried, by name: the management host, then the faces that have everything on one host.
const ORDER: [&str; 4] = ["runtime", "q", "codewhisperer", "q-rest"];

/// A field of a call.
pub(crate) type Field = (&'static str, Value);

/// One place where a control call may be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) surface: &'static Surface,
    pub(crate) arn: Option<String>,
}

/// What a control call needs of its account.
pub(crate) struct Desk<'a> {
    pub(crate) client: &'a Client,
    pub(crate) endpoints: &'a Endpoints,
    pub(crate) bearer: Bearer,
    pub(crate) token_type: Option<&'static str>,
    pub(crate) region: String,
    /// In the order in which to try them; never empty.
    pub(crate) places: Vec<Place>,
}

/// Which place answered last, so that it is asked first.
#[derive(Default)]
pub(crate) struct LastAnswered(AtomicUsize);

/// The places for an account that names `arns` in turn.
pub(crate) fn places(pinned: Option<&'static Surface>, region: &str, arns: &[Option<String>]) -> Vec<Place> {
    let in_order = ORDER.iter().filter_map(|name| Surface::named(name));
    let surfaces: Vec<&'static Surface> = match pinned {
        Some(surface) => vec![surface],
        // Of the two faces with paths one is enough: `codewhisperer` exists in one region only.
        None => in_order.filter(|surface| surface.name != other_rest(region)).collect(),
    };
    let of = |surface: &'static Surface| arns.iter().map(move |arn| Place { surface, arn: arn.clone() });
    surfaces.into_iter().flat_map(of).collect()
}

fn other_rest(region: &str) -> &'static str {
    if region == "us-east-1" { "q-rest" } else { "codewhisperer" }
}

// === impl Desk ===

impl Desk<'_> {
    /// Asks place after place, the one that answered last first, until one answers.
    pub(crate) async fn ask(
        &self,
        operation: impl Fn(&'static Surface) -> &'static Operation,
        fields: impl Fn(&'static Surface) -> Vec<Field>,
        last: &LastAnswered,
    ) -> Result<Reply, Failure> {
        let first = last.0.load(Ordering::Relaxed);
        let order = (0..self.places.len()).map(|step| (first + step) % self.places.len());
        let mut failure = None;
        for index in order {
            let Some(place) = self.places.get(index) else { continue };
            match self.at(place, operation(place.surface), fields(place.surface)).await {
                Ok(reply) => {
                    last.0.store(index, Ordering::Relaxed);
                    return Ok(reply);
                }
                Err(refused) => {
                    let passing = matches!(refused.remedy, Remedy::Again { .. })
                        && refused.fault.code != "network/connect";
                    tracing::debug!(surface = place.surface.name, code = %refused.fault.code, "a control call was refused");
                    failure.get_or_insert(refused);
                    if passing {
                        break;
                    }
                }
            }
        }
        Err(failure.unwrap_or_else(nowhere))
    }

    async fn at(
        &self,
        place: &Place,
        operation: &'static Operation,
        mut fields: Vec<Field>,
    ) -> Result<Reply, Failure> {
        fields.extend(place.arn.as_ref().map(|arn| ("profileArn", Value::from(arn.as_str()))));
        let (path, body) = written(operation, &fields);
        let address = self.endpoints.control(place.surface, &self.region, &path).map_err(|_| nowhere())?;
        let signed = Signed {
            surface: place.surface,
            operation,
            bearer: &self.bearer,
            token_type: self.token_type,
            invocation_id: "",
            attempt: 1,
        };
        let exchange = async {
            let response = self.client.call(address, &signed, body).await?;
            client::read(response).await
        };
        let answered = tokio::time::timeout(client::CONTROL_DEADLINE, exchange).await;
        let reply = answered.unwrap_or_else(|_| Err(client::too_slow()))?;
        if reply.status == 200 { Ok(reply) } else { Err(understand(&reply, &Context::default())) }
    }
}

/// Path and body of a call: its fields in the address or in the body, as the face has it.
fn written(operation: &Operation, fields: &[Field]) -> (String, Bytes) {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if operation.method == "GET" {
        let told: Vec<(&str, String)> = fields.iter().map(|(name, value)| (*name, plain(value))).collect();
        let told: Vec<(&str, &str)> = told.iter().map(|(name, value)| (*name, value.as_str())).collect();
        return (format!("{}?{}", operation.path, query::joined(&told)), Bytes::new());
    }
    let body: Map<String, Value> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    (operation.path.to_owned(), Bytes::from(Value::Object(body).to_string()))
}

fn nowhere() -> Failure {
    let fault = Fault::new(Kind::Unavailable, Origin::Gateway, "The upstream has no address for this call.");
    Failure { fault: fault.code("control/nowhere"), remedy: Remedy::None }
}
