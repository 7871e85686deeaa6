//! Tests with keys in PEM.

use jsonwebtoken::{Algorithm, EncodingKey};

use super::{assert_invalid, refusal, token, typed, verify, verify_with};

pub(super) const RSA_PUBLIC: &str = include_str!("fixtures/rsa-public.pem");
pub(super) const RSA_PRIVATE: &str = include_str!("fixtures/rsa-private.pem");
pub(super) const P256_PUBLIC: &str = include_str!("fixtures/p256-public.pem");
pub(super) const P256_PRIVATE: &str = include_str!("fixtures/p256-private.pem");
pub(super) const P384_PUBLIC: &str = include_str!("fixtures/p384-public.pem");
pub(super) const P384_PRIVATE: &str = include_str!("fixtures/p384-private.pem");

#[test]
fn rsa_keys() {
    let key = EncodingKey::from_rsa_pem(RSA_PRIVATE.as_bytes()).unwrap();
    for (alg, algorithm) in [
        ("RS256", Algorithm::RS256),
        ("RS384", Algorithm::RS384),
        ("RS512", Algorithm::RS512),
        ("PS256", Algorithm::PS256),
        ("PS384", Algorithm::PS384),
        ("PS512", Algorithm::PS512),
    ] {
        let token = token(&format!(r#"{{"alg":"{alg}"}}"#), "{}", &key, algorithm);
        for pem in [RSA_PUBLIC, RSA_PRIVATE, &RSA_PUBLIC.replace('\n', "\r\n")] {
            assert_eq!(verify_with(pem, None, &token).unwrap().payload, "{}");
        }
        assert_invalid(
            verify_with(RSA_PUBLIC, Some(&["HS256"]), &token),
            "invalid algorithm",
        );
        assert_invalid(
            verify_with(RSA_PUBLIC, None, &format!("{token}AA")),
            "invalid signature",
        );
        assert_invalid(verify(&token), "invalid algorithm");
        assert_invalid(
            verify_with("secret", Some(&[alg]), &token),
            &format!("secretOrPublicKey must be an asymmetric key when using {alg}"),
        );
    }
}

#[test]
fn public_key_is_no_secret() {
    let key = EncodingKey::from_secret(RSA_PUBLIC.as_bytes());
    let confused = token(r#"{"alg":"HS256"}"#, "{}", &key, Algorithm::HS256);
    assert_invalid(
        verify_with(RSA_PUBLIC, None, &confused),
        "invalid algorithm",
    );
    assert_invalid(
        verify_with(RSA_PUBLIC, Some(&["HS256", "RS256"]), &confused),
        "secretOrPublicKey must be a symmetric key when using HS256",
    );
    let claimed = token(r#"{"alg":"RS256"}"#, "{}", &key, Algorithm::HS256);
    assert_invalid(verify_with(RSA_PUBLIC, None, &claimed), "invalid signature");
}

#[test]
fn ec_keys() {
    let p256 = EncodingKey::from_ec_pem(P256_PRIVATE.as_bytes()).unwrap();
    let p384 = EncodingKey::from_ec_pem(P384_PRIVATE.as_bytes()).unwrap();
    let es256 = token(r#"{"alg":"ES256"}"#, "{}", &p256, Algorithm::ES256);
    let es384 = token(r#"{"alg":"ES384"}"#, "{}", &p384, Algorithm::ES384);
    for (pem, token) in [
        (P256_PUBLIC, &es256),
        (P256_PRIVATE, &es256),
        (P384_PUBLIC, &es384),
        (P384_PRIVATE, &es384),
    ] {
        assert_eq!(verify_with(pem, None, token).unwrap().payload, "{}");
    }
    assert_eq!(
        refusal(verify_with(P256_PUBLIC, None, &es384)),
        (
            "Error",
            "\"alg\" parameter \"ES384\" requires curve \"secp384r1\".".to_owned()
        )
    );
    assert_eq!(
        refusal(verify_with(P256_PUBLIC, None, &format!("{es256}AAAA"))),
        (
            "TypeError",
            "\"ES256\" signatures must be \"64\" bytes, saw \"67\"".to_owned()
        )
    );
    assert_eq!(
        refusal(verify_with(RSA_PUBLIC, Some(&["ES256"]), &es256)),
        (
            "Error",
            "\"alg\" parameter for \"rsa\" key type must be one of: RS256, PS256, RS384, PS384, \
             RS512, PS512."
                .to_owned()
        )
    );
}

#[test]
fn leaves_unusual_keys_undecided() {
    for key in [
        "-----BEGIN",
        &RSA_PUBLIC.replace('\n', "\\n"),
        &RSA_PUBLIC.replace('A', "!"),
    ] {
        assert!(
            verify_with(key, None, &typed("{}"))
                .unwrap_err()
                .is_unsupported()
        );
        assert_invalid(verify_with(key, None, "abc"), "jwt malformed");
    }
}
