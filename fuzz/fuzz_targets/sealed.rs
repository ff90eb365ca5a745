//! What stands in a table as sealed, in a variable as a key, or comes as a file with a passphrase: refused with an error, never opened by
//! chance, and nothing is spent on a file before its head is whole.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use qm_seal::{Key, Keyring, Sealed, passphrase};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Most work that is done for one input; what a head asks for beyond it is only read.
const MOST_WORK: u8 = 6;

static RING: LazyLock<Keyring> =
    LazyLock::new(|| Keyring::new(vec![Key::from_text(KEY).expect("a key")]).expect("a ring"));

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = str::from_utf8(bytes) {
        in_a_table(text);
        if let Ok(key) = Key::from_text(text) {
            assert_eq!(key.id().len(), 16);
        }
    }
    // Under the ring's own key, too, which noise would not name.
    if let Ok(tail) = str::from_utf8(bytes.get(..200).unwrap_or(bytes)) {
        in_a_table(&format!("v1.{}.{tail}", RING.current().id()));
    }
    match passphrase::work(bytes) {
        Ok(work) if work <= MOST_WORK => {
            assert!(passphrase::decrypt(bytes, &"correct horse battery staple".into()).is_err());
        }
        Ok(work) => assert!(work <= 18),
        Err(error) => assert_eq!(passphrase::decrypt(bytes, &"x".into()).map(|_| ()), Err(error)),
    }
});

fn in_a_table(text: &str) {
    if let Ok(sealed) = Sealed::parse(text) {
        assert_eq!(sealed.as_str(), text);
        // The seed was sealed for another place.
        assert!(RING.open(&sealed, "account/fuzz").is_err());
    }
}
