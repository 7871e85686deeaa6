//! Properties that hold for any input.

use proptest::prelude::*;

use super::keys::RSA_PUBLIC;
use super::{NOW, TokenVerifier, bare, hs256, typed, verify};

proptest! {
    #[test]
    fn never_panics(key in any::<Vec<u8>>(), token in any::<String>()) {
        prop_assert!(TokenVerifier::new(&key, None).verify(&token, NOW).is_err());
    }

    #[test]
    fn never_panics_on_parts(header in any::<String>(), payload in any::<String>()) {
        let token = hs256(&header, &payload);
        prop_assert!(verify(&token).is_err());
        let _ = verify(&bare(&payload));
        let _ = verify(&typed(&payload));
    }

    #[test]
    fn never_panics_on_pem(at in 0..RSA_PUBLIC.len(), byte in any::<u8>()) {
        let mut key = RSA_PUBLIC.as_bytes().to_vec();
        key[at] = byte;
        let _ = TokenVerifier::new(&key, None).verify(&typed("{}"), NOW);
    }

    #[test]
    fn json_agrees(text in r#"[\[\]{},: "0-9eE.+\-tnu\\abr]{0,24}"#) {
        let found = crate::engine::auth::json::scan(&text, []).is_some();
        match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(_) => prop_assert!(found),
            // Numbers out of range are infinite in JavaScript.
            Err(e) => prop_assert!(!found || e.to_string().contains("out of range")),
        }
    }

    #[test]
    fn quoting_round_trips(text in any::<String>()) {
        let quoted = crate::engine::auth::json::quote(&text);
        prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text.as_str());
        let inner = &quoted[1..quoted.len() - 1];
        prop_assert_eq!(crate::engine::auth::json::unescape(inner), Some(text));
    }
}
