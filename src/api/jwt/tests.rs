//! What is seen in an identity token, and what is passed over.

use serde_json::json;

use super::*;

fn token(payload: &Value) -> String {
    format!("eyJhbGciOiJSUzI1NiJ9.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload.to_string()))
}

fn flaws(payload: &Value) -> Vec<String> {
    Claims::of(&token(payload)).unwrap().flaws(Timestamp::from_second(1_000_000).unwrap())
}

#[test]
fn a_token_that_lives_too_long_has_expired_or_is_for_somebody_else_is_told_from_one_that_is_not() {
    let good = json!({"aud": AUDIENCE, "iat": 999_000, "exp": 1_002_600, "jti": "x"});
    assert_eq!(flaws(&good), Vec::<String>::new());
    for (field, value, wanted) in [
        (
            "exp",
            json!(1_020_600),
            "it lives 21600 s, and an issuer takes at most 3600 s unless its `max_jwt_lifetime_seconds`",
        ),
        ("exp", json!(999_880), "it expired 2 min ago by this machine's clock"),
        ("iat", json!(1_000_100.5), "it was issued 100 s from now by this machine's clock"),
        (
            "aud",
            json!(["https://gitlab.acme.com", "sts"]),
            "its audience is `https://gitlab.acme.com`, `sts`",
        ),
    ] {
        let mut payload = good.clone();
        payload[field] = value;
        let found = flaws(&payload);
        assert!(found.len() == 1 && found[0].starts_with(wanted), "{field}: {found:?}");
    }
}

#[test]
fn what_is_no_jwt_has_no_claims() {
    for text in ["", "jwt-one", "a.b", "a.!!!.c", "eyJhbGciOiJSUzI1NiJ9.W10.c2ln"] {
        assert_eq!(Claims::of(text), None, "{text}");
    }
    assert!(!Claims::of(&token(&json!({"sub": "a"}))).unwrap().is_named);
}
