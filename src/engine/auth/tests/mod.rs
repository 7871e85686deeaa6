//! Tests of the verifier.

use jsonwebtoken::crypto::sign;
use jsonwebtoken::{Algorithm, EncodingKey};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{TokenError, TokenErrorKind, TokenVerifier, VerifiedToken};

mod keys;
mod properties;

const SECRET: &[u8] = b"a-secret-for-tests-0123456789abcdef";
const NOW: u64 = 1_700_000_000_999;

fn token(header: &str, payload: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let text = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let signature = sign(text.as_bytes(), key, algorithm).unwrap();
    format!("{text}.{signature}")
}

fn hs256(header: &str, payload: &str) -> String {
    token(
        header,
        payload,
        &EncodingKey::from_secret(SECRET),
        Algorithm::HS256,
    )
}

fn typed(payload: &str) -> String {
    hs256(r#"{"alg":"HS256","typ":"JWT"}"#, payload)
}

fn bare(payload: &str) -> String {
    hs256(r#"{"alg":"HS256"}"#, payload)
}

fn names(algorithms: &[&str]) -> Vec<String> {
    algorithms.iter().map(|&name| name.to_owned()).collect()
}

fn verify(token: &str) -> Result<VerifiedToken, TokenError> {
    TokenVerifier::new(SECRET, None).verify(token, NOW)
}

fn verify_with(
    key: &str,
    algorithms: Option<&[&str]>,
    token: &str,
) -> Result<VerifiedToken, TokenError> {
    let algorithms = algorithms.map(names);
    TokenVerifier::new(key.as_bytes(), algorithms.as_deref()).verify(token, NOW)
}

fn refusal(result: Result<VerifiedToken, TokenError>) -> (&'static str, String) {
    let error = result.unwrap_err();
    (error.name().unwrap_or("undecided"), error.message)
}

#[track_caller]
fn assert_invalid(result: Result<VerifiedToken, TokenError>, message: &str) {
    assert_eq!(refusal(result), ("JsonWebTokenError", message.to_owned()));
}

#[test]
fn verifier_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<TokenVerifier>();
}

#[test]
fn accepts_and_reports_the_payload() {
    for (token, payload, expires_at) in [
        (typed(r#"{"a":1}"#), r#"{"a":1}"#, None),
        (
            typed(r#"{"exp":1700000001}"#),
            r#"{"exp":1700000001}"#,
            Some(1_700_000_001.0),
        ),
        (
            typed(r#"{"exp":1,"exp":1e15}"#),
            r#"{"exp":1,"exp":1e15}"#,
            Some(1e15),
        ),
        (
            typed(r#"{"exp":1e999}"#),
            r#"{"exp":1e999}"#,
            Some(f64::INFINITY),
        ),
        (
            typed(r#"{"__proto__":{"exp":1}}"#),
            r#"{"__proto__":{"exp":1}}"#,
            None,
        ),
        (
            typed(r#"{"a":{"exp":1},"nbf":5}"#),
            r#"{"a":{"exp":1},"nbf":5}"#,
            None,
        ),
        (typed(r#"{"iat":9e12}"#), r#"{"iat":9e12}"#, None),
        (typed(r#""str""#), r#""str""#, None),
        (typed("[1]"), "[1]", None),
        (typed("5"), "5", None),
        (typed(r#""{\"a\":1}""#), r#"{"a":1}"#, None),
        (bare(r#"{"a":1}"#), r#"{"a":1}"#, None),
        (bare("5"), r#""5""#, None),
        (bare("null"), r#""null""#, None),
        (bare("no \"json\"\n"), r#""no \"json\"\u000a""#, None),
        (hs256(r#"{"alg":"none","alg":"HS256"}"#, "{}"), "{}", None),
        (
            hs256(r#"{"\u0061lg":"HS256","crit":["exp"],"kid":"../x"}"#, "{}"),
            "{}",
            None,
        ),
    ] {
        let found = verify(&token).unwrap();
        assert_eq!(
            found,
            VerifiedToken {
                payload: payload.to_owned(),
                expires_at
            }
        );
    }
}

#[test]
fn accepts_any_depth() {
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    assert_eq!(verify(&typed(&deep)).unwrap().payload, deep);
}

#[test]
fn refuses_malformed_tokens() {
    let good = typed("{}");
    for (token, message) in [
        (String::new(), "jwt must be provided"),
        ("abc".to_owned(), "jwt malformed"),
        (format!("{good}.x"), "jwt malformed"),
        ("..".to_owned(), "invalid token"),
        (format!(" {good}"), "invalid token"),
        (format!("{good}\n"), "invalid token"),
        (format!("{good}="), "invalid token"),
        (format!("Bearer {good}"), "invalid token"),
        (bare(""), "invalid token"),
        (hs256("null", "{}"), "invalid token"),
        (hs256("0", "{}"), "invalid token"),
        (hs256("{alg", "{}"), "invalid token"),
        (hs256("1", "{}"), "invalid algorithm"),
        (hs256("[]", "{}"), "invalid algorithm"),
        (hs256(r#"{"typ":"JWT"}"#, "{}"), "invalid algorithm"),
        (hs256(r#"{"alg":["HS256"]}"#, "{}"), "invalid algorithm"),
        (hs256(r#"{"alg":"hs256"}"#, "{}"), "invalid algorithm"),
        (hs256(r#"{"alg":"HS512"}"#, "{}"), "invalid signature"),
        (format!("{good}A"), "invalid signature"),
        (format!("{good}AAAA"), "invalid signature"),
        (
            good.get(..good.len() - 1).unwrap().to_owned(),
            "invalid signature",
        ),
    ] {
        assert_invalid(verify(&token), message);
    }
}

#[test]
fn hmac_signature_has_one_form() {
    // 32 bytes leave two unused bits in the last of 43 characters.
    let good = typed("{}");
    let (body, last) = good.split_at(good.len() - 1);
    let mut accepted = 0;
    for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
        match verify(&format!("{body}{c}")) {
            Ok(_) => {
                assert_eq!(c.to_string(), last);
                accepted += 1;
            }
            Err(error) => assert_eq!(error.message, "invalid signature"),
        }
    }
    assert_eq!(accepted, 1);
}

#[test]
fn unsigned_tokens() {
    let unsigned = |alg: &str| {
        let header = format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#);
        format!(
            "{}.{}.",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode("{}")
        )
    };
    let none = unsigned("none");
    let secret = std::str::from_utf8(SECRET).unwrap();
    for alg in ["none", "None", "nOnE", "HS256", ""] {
        assert_invalid(verify(&unsigned(alg)), "jwt signature is required");
    }
    assert_invalid(
        verify_with(secret, Some(&["none"]), &none),
        "jwt signature is required",
    );
    assert_invalid(
        verify_with("", None, &none),
        "please specify \"none\" in \"algorithms\" to verify unsigned tokens",
    );
    assert_invalid(
        verify_with("", Some(&["HS256"]), &none),
        "invalid algorithm",
    );
    assert_eq!(
        verify_with("", Some(&["none"]), &none).unwrap().payload,
        "{}"
    );
    let signed = hs256(r#"{"alg":"none"}"#, "{}");
    assert_invalid(verify(&signed), "invalid algorithm");
    assert_invalid(
        verify_with(secret, Some(&["none"]), &signed),
        "invalid signature",
    );
    assert_invalid(
        verify_with("", None, &typed("{}")),
        "secret or public key must be provided",
    );
}

#[test]
fn times() {
    let expired = |payload: &str| match verify(&typed(payload)).unwrap_err() {
        TokenError {
            kind: TokenErrorKind::Expired { expired_at_ms },
            message,
        } => {
            assert_eq!(message, "jwt expired");
            expired_at_ms
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(expired(r#"{"exp":0}"#), 0.0);
    assert_eq!(expired(r#"{"exp":-5}"#), -5000.0);
    assert_eq!(expired(r#"{"exp":1700000000}"#), 1_700_000_000_000.0);
    assert_eq!(expired(r#"{"exp":1699999999.12345}"#), 1_699_999_999_123.0);
    assert!(expired(r#"{"exp":-1e15}"#).is_nan());
    let not_before = |payload: &str| match verify(&typed(payload)).unwrap_err() {
        TokenError {
            kind: TokenErrorKind::NotBefore { date_ms },
            message,
        } => {
            assert_eq!(message, "jwt not active");
            date_ms
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(
        not_before(r#"{"nbf":1700000001,"exp":1}"#),
        1_700_000_001_000.0
    );
    assert!(not_before(r#"{"nbf":1e999}"#).is_nan());
    for value in ["null", "\"x\"", "{}", "[]", "true", "\"1800000000\""] {
        let exp = format!(r#"{{"exp":{value}}}"#);
        assert_invalid(verify(&typed(&exp)), "invalid exp value");
        let nbf = format!(r#"{{"nbf":{value},"exp":1}}"#);
        assert_invalid(verify(&typed(&nbf)), "invalid nbf value");
    }
}

#[test]
fn errors_of_other_classes() {
    let foo = hs256(r#"{"alg":"foo"}"#, "{}");
    let (name, message) = refusal(verify_with(
        std::str::from_utf8(SECRET).unwrap(),
        Some(&["foo"]),
        &foo,
    ));
    assert_eq!(name, "TypeError");
    assert!(message.starts_with("\"foo\" is not a valid algorithm.\n  Supported algorithms"));
    assert_eq!(
        refusal(verify(&typed("null"))),
        (
            "TypeError",
            "Cannot read properties of null (reading 'nbf')".to_owned()
        )
    );
    assert_eq!(
        refusal(verify(
            &hs256(r#"{"alg":"HS256","typ":"JWT"}"#, "").replace("..", ".A.")
        )),
        ("SyntaxError", "Unexpected end of JSON input".to_owned())
    );
    assert_eq!(refusal(verify(&typed("not json"))).0, "undecided");
}
