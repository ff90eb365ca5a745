//! Any file of accounts is refused, or every account that is taken from it is whole, comes back the same from our own
//! forms, and no word about the others holds a secret.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qm_credential::import::{self, Import, MAX_ROWS};
use qm_credential::{Credential, Draft, Kind, export, region};
use secrecy::ExposeSecret;

/// What the parts of an input are called when it holds more than one file; the second is what `clientIdHash` of the
/// seeds names.
const NAMES: [&str; 3] =
    ["kiro-auth-token.json", "c0bcc761b0116f28e0ce63f586d3aa7d46449863.json", "more.txt"];

fuzz_target!(|bytes: &[u8]| {
    let parts: Vec<(&str, &[u8])> =
        NAMES.into_iter().zip(bytes.splitn(NAMES.len(), |byte| *byte == 0)).collect();
    let import =
        if let [(_, whole)] = parts.as_slice() { import::detect(whole) } else { import::files(&parts) };
    let Ok(Import { rows, .. }) = import else { return };
    assert!(rows.len() <= MAX_ROWS);
    let mut taken = Vec::new();
    for row in rows {
        let said: Vec<String> = row.notices.iter().map(ToString::to_string).collect();
        assert!(row.place.len() < 150, "{}", row.place);
        match row.result {
            Ok(draft) => {
                whole(&draft, &said);
                taken.push(draft);
            }
            Err(problem) => assert!(!problem.to_string().is_empty() && !problem.code().is_empty()),
        }
    }
    if taken.is_empty() {
        return;
    }
    let again = import::detect(&export::json(&taken)).expect("our own export");
    assert_eq!(again.rows.len(), taken.len());
    for (row, draft) in again.rows.iter().zip(&taken) {
        let back = row.result.as_ref().unwrap_or_else(|problem| panic!("of our own export: {problem}"));
        assert!(
            *back.credential.to_json() == *draft.credential.to_json(),
            "{:?} {:?}",
            back.credential,
            draft.credential
        );
    }
    assert!(export::lines(&taken).left_out <= taken.len());
});

fn whole(draft: &Draft, said: &[String]) {
    let credential = &draft.credential;
    let json = credential.to_json();
    let back = Credential::from_json(&json).expect("our own form");
    assert!(*back.to_json() == *json);
    for name in credential.sso_region.iter().chain(&credential.api_region) {
        assert!(region::is_region(name), "{name}");
    }
    if let Some(arn) = &credential.arn {
        assert!(!arn.value.contains(":000000000000:") && !arn.value.contains(":610548660232:"));
    }
    if let Kind::ExternalIdp { token_endpoint, .. } = &credential.kind {
        assert!(token_endpoint.starts_with("https://"), "{token_endpoint}");
    }
    let access = credential.access.as_ref().map(|access| &access.token);
    let tokens = [credential.refresh_token.as_ref(), access, credential.api_key.as_ref()];
    assert!(tokens.iter().any(Option::is_some), "nothing to log in with");
    for token in tokens.into_iter().flatten().map(ExposeSecret::expose_secret) {
        assert!(token.bytes().all(|byte| byte.is_ascii_graphic()), "it would end its header");
        assert!(token.len() < 30 || said.iter().all(|text| !text.contains(token)));
    }
}
