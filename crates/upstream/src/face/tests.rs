use super::*;

const OWN: &str = "arn:aws:codewhisperer:eu-central-1:111122223333:profile/ABCDEFGHJKLM";
const HOUR_MS: u64 = 3600 * 1000;

fn credential(kind: Kind, arn: Option<(&str, ArnOrigin)>) -> Credential {
    let mut credential = Credential::new(kind);
    credential.arn = arn.map(|(text, origin)| Arn::parse(text, origin, &credential.kind).expect("a profile"));
    credential
}

fn company() -> Kind {
    Kind::IdentityCenter { start_url: None }
}

/// The face in use, as `rung profile region`.
fn shown(standing: &Standing<'_>, learned: &Learned, now_ms: u64) -> String {
    let face = standing.face(learned, now_ms).expect("a face");
    let arn = match face.arn() {
        None => "none",
        Some(SERVICE_BUILDER_ID | SERVICE_SOCIAL) => "shared",
        Some(OWN) => "own",
        Some(_) => "other",
    };
    format!("{} {arn} {}", face.name(), face.region)
}

#[test]
fn whose_login_it_is_decides_face_profile_and_region() {
    let endpoints = Endpoints::default();
    let social = || Kind::Social { provider: None };
    let token = |text| Some((text, ArnOrigin::Token));
    let operator = |text| Some((text, ArnOrigin::Operator));
    for (kind, arn, sso_region, expected) in [
        (Kind::BuilderId, None, None, "runtime/service shared us-east-1"),
        (Kind::BuilderId, token(SERVICE_BUILDER_ID), None, "runtime/service shared us-east-1"),
        (Kind::BuilderId, operator(OWN), None, "runtime/own own eu-central-1"),
        (company(), token(OWN), Some("us-west-2"), "runtime/own own eu-central-1"),
        (company(), None, Some("eu-west-1"), "runtime/own none eu-central-1"),
        (company(), None, Some("ap-southeast-2"), "runtime/own none us-east-1"),
        (social(), token(OWN), None, "runtime/own own eu-central-1"),
        (social(), None, None, "runtime/service shared us-east-1"),
        (Kind::ApiKey, None, None, "runtime/none none us-east-1"),
    ] {
        let mut credential = credential(kind, arn);
        credential.sso_region = sso_region.map(str::to_owned);
        let standing = Standing { credential: &credential, pins: &Pins::default(), endpoints: &endpoints };
        assert_eq!(shown(&standing, &Learned::default(), 0), expected, "{credential:?}");
    }
}

#[test]
fn pins_outrank_what_is_said_and_learned() {
    let endpoints = Endpoints::default();
    let credential = credential(Kind::BuilderId, None);
    let learned = Learned { winner: Some("q/none".to_owned()), ..Learned::default() };
    let own = Arn::parse(OWN, ArnOrigin::Operator, &Kind::BuilderId).ok();
    for (surface, arn, region, expected) in [
        (None, None, None, "q/none none us-east-1"),
        (Some("codewhisperer"), None, None, "codewhisperer/service shared us-east-1"),
        (None, own.clone(), None, "runtime/own own eu-central-1"),
        (None, None, Some("eu-central-1"), "q/none none eu-central-1"),
        (Some("q"), own, Some("us-east-1"), "q/own own eu-central-1"),
    ] {
        let surface = surface.map(|name| Surface::named(name).expect("is in the table"));
        let pins = Pins { surface, arn, region: region.map(str::to_owned) };
        let standing = Standing { credential: &credential, pins: &pins, endpoints: &endpoints };
        assert_eq!(shown(&standing, &learned, 0), expected, "{pins:?}");
    }
}

#[test]
fn a_face_that_refuses_is_left_for_a_day_and_the_one_that_serves_is_kept() {
    let (endpoints, pins, credential) =
        (Endpoints::default(), Pins::default(), credential(Kind::BuilderId, None));
    let standing = Standing { credential: &credential, pins: &pins, endpoints: &endpoints };
    let mut learned = Learned::default();
    for (expected, another) in [
        ("runtime/service", true),
        ("runtime/none", true),
        ("codewhisperer/none", true),
        ("q/service", true),
        ("q/none", false),
    ] {
        let face = standing.face(&learned, 0).expect("a face");
        assert_eq!(face.name(), expected);
        assert_eq!(standing.step(&mut learned, &face, Unfit::Refused, "code", 0), another, "{expected}");
    }
    assert_eq!(
        standing.face(&learned, 0).expect("a face").name(),
        "runtime/service",
        "nothing fits: the best again"
    );
    // The third served once, later.
    let third =
        Rung { surface: Surface::named("codewhisperer").expect("is in the table"), arn: ArnPolicy::None };
    assert!(learned.served(&third, HOUR_MS));
    assert!(!learned.served(&third, HOUR_MS + 1), "nothing new");
    for (at_ms, expected) in [(HOUR_MS, "codewhisperer/none"), (25 * HOUR_MS, "codewhisperer/none")] {
        assert_eq!(standing.face(&learned, at_ms).expect("a face").name(), expected);
    }
    let kept = serde_json::to_string(&learned).expect("json");
    assert_eq!(serde_json::from_str::<Learned>(&kept).expect("what was learned"), learned);
    // The winner fails in its turn; by then the others are worth a try again.
    let face = standing.face(&learned, 25 * HOUR_MS).expect("a face");
    assert!(standing.step(&mut learned, &face, Unfit::Refused, "code", 25 * HOUR_MS));
    assert_eq!(standing.face(&learned, 25 * HOUR_MS).expect("a face").name(), "runtime/service");
}

#[test]
fn a_host_out_of_reach_is_left_whole_for_ten_minutes_and_keeps_its_place() {
    let (endpoints, pins, credential) =
        (Endpoints::default(), Pins::default(), credential(Kind::BuilderId, None));
    let standing = Standing { credential: &credential, pins: &pins, endpoints: &endpoints };
    let mut learned = Learned::default();
    let best = standing.face(&learned, 0).expect("a face");
    assert!(learned.served(&best.rung, 0));
    assert!(standing.step(&mut learned, &best, Unfit::Unreached, "network/connect", 1));
    let stand_in = standing.face(&learned, 1).expect("a face");
    assert_eq!(stand_in.name(), "codewhisperer/none", "both rungs of the host are left");
    learned.served(&stand_in.rung, 2);
    assert_eq!(learned.winner.as_deref(), Some("runtime/service"));
    assert_eq!(standing.face(&learned, 2 + UNREACHED_MS).expect("a face").name(), "runtime/service");
}

#[test]
fn a_profile_that_was_found_is_used_and_asked_for_no_more() {
    let (endpoints, pins, credential) = (Endpoints::default(), Pins::default(), credential(company(), None));
    let standing = Standing { credential: &credential, pins: &pins, endpoints: &endpoints };
    let mut learned = Learned::default();
    assert!(standing.lacks_profile(&learned));
    let found = |value: &str| Some(FoundArn { value: value.to_owned(), origin: "list".to_owned() });
    learned.arn = found(OWN);
    assert!(!standing.lacks_profile(&learned));
    assert_eq!(shown(&standing, &learned, 0), "runtime/own own eu-central-1");
    // Whatever has been written into the record: nobody's profile is nobody's.
    learned.arn = found("arn:aws:codewhisperer:us-east-1:000000000000:profile/default");
    assert!(standing.lacks_profile(&learned));
}
