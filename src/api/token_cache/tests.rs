//! Which token is taken up again, and from which files.

use std::fs;

use super::{super::credential::IdentityToken, *};

fn ada() -> Subject {
    Subject {
        issuer: "https://token.acme.com".into(),
        subject: "repo:acme/access:environment:charter-live".into(),
    }
}

fn cache(path: &Path, rule: &str) -> TokenCache {
    cache_of(path, rule, "https://api.anthropic.com")
}

fn cache_of(path: &Path, rule: &str, base_url: &str) -> TokenCache {
    let identity = WorkloadIdentity {
        federation_rule_id: rule.to_owned(),
        organization_id: "org-1".to_owned(),
        service_account_id: None,
        workspace_id: None,
        identity: IdentityToken::Literal(Secret::new("a.b.c".into())),
        cache: Some(path.to_owned()),
    };
    TokenCache::of(&identity, base_url).unwrap()
}

#[test]
fn a_kept_token_is_not_sent_to_another_host() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    cache(&path, "fdrl_1").write(&ada(), &Secret::new("sk-ant-oat01-one".into()), noon()).unwrap();
    assert!(cache(&path, "fdrl_1").read(&ada()).unwrap().is_some());
    assert!(cache_of(&path, "fdrl_1", "http://127.0.0.1:9").read(&ada()).unwrap().is_none());
}

fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

#[test]
fn a_kept_token_is_read_again_for_the_same_identity_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    assert!(cache(&path, "fdrl_1").read(&ada()).unwrap().is_none());
    cache(&path, "fdrl_1").write(&ada(), &Secret::new("sk-ant-oat01-one".into()), noon()).unwrap();
    let kept = cache(&path, "fdrl_1").read(&ada()).unwrap().unwrap();
    assert_eq!((kept.token.expose(), kept.expires_at), ("sk-ant-oat01-one", noon()));
    assert!(cache(&path, "fdrl_2").read(&ada()).unwrap().is_none());
    cache(&path, "fdrl_2").write(&ada(), &Secret::new("sk-ant-oat01-two".into()), noon()).unwrap();
    assert!(cache(&path, "fdrl_1").read(&ada()).unwrap().is_none());
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_alone_and_not_used_otherwise() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let cache = cache(&path, "fdrl_1");
    cache.write(&ada(), &Secret::new("sk-ant-oat01-one".into()), noon()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(
        why(cache.read(&ada())),
        "the file of `CHARTER_TOKEN_CACHE` is open to other users (mode 0640, 0600 is wanted)"
    );
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let elsewhere = folder.path().join("link");
    std::os::unix::fs::symlink(&path, &elsewhere).unwrap();
    let linked = super::tests::cache(&elsewhere, "fdrl_1").read(&ada());
    assert_eq!(why(linked), "the file of `CHARTER_TOKEN_CACHE` is no regular file");

    // Whoever owns a file can have chosen what it holds.
    let (_, about) = open(&path).unwrap().unwrap();
    check_private(&about, this_user()).unwrap();
    let other = check_private(&about, this_user() + 1);
    assert_eq!(why(other), "the file of `CHARTER_TOKEN_CACHE` belongs to another user");
}

#[cfg(unix)]
fn why<T>(result: Result<T, CacheError>) -> String {
    result.err().expect("it is refused").to_string()
}

#[test]
fn a_kept_token_is_not_used_for_the_identity_token_of_another_subject_or_issuer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let cache = cache(&path, "fdrl_1");
    cache.write(&ada(), &Secret::new("sk-ant-oat01-one".into()), noon()).unwrap();
    for other in [
        Subject { subject: "repo:acme/access:environment:other".into(), ..ada() },
        Subject { issuer: "https://gitlab.acme.com".into(), ..ada() },
        Subject::default(),
    ] {
        assert!(cache.read(&other).unwrap().is_none(), "{other:?}");
    }
    assert!(cache.read(&ada()).unwrap().is_some());
}

#[test]
fn the_subject_and_the_issuer_are_those_of_the_identity_token() {
    // {"iss": "https://token.acme.com", "sub": "a"}
    let token = "e30.eyJpc3MiOiAiaHR0cHM6Ly90b2tlbi5hY21lLmNvbSIsICJzdWIiOiAiYSJ9.c2ln";
    let subject = Subject::of(&Secret::new(token.into()));
    assert_eq!(subject, Subject { issuer: "https://token.acme.com".into(), subject: "a".into() });
    assert_eq!(Subject::of(&Secret::new("opaque".into())), Subject::default());
}

#[test]
fn what_is_no_kept_token_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let cache = cache(&path, "fdrl_1");
    for text in ["", "{}", "sk-ant-oat01-one"] {
        // Written as the cache writes, so that only the text is wrong.
        let _ = fs::remove_file(&path);
        cache.write(&ada(), &Secret::new("x".into()), noon()).unwrap();
        fs::write(&path, text).unwrap();
        assert!(cache.read(&ada()).unwrap().is_none(), "{text}");
    }
}

#[test]
fn nothing_is_replaced_but_a_kept_token_or_an_empty_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, token) = (folder.path().join("token"), Secret::new("sk-ant-oat01-one".into()));
    let cache = cache(&path, "fdrl_1");
    fs::write(&path, "members: {}").unwrap();
    assert!(cache.write(&ada(), &token, noon()).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "members: {}");
    for text in
        ["", r#"{"identity": "x", "access_token": "y", "expires_at": "2026-11-22T12:00:00Z"}"#]
    {
        fs::write(&path, text).unwrap();
        cache.write(&ada(), &token, noon()).unwrap();
        assert!(cache.read(&ada()).unwrap().is_some());
    }
    #[cfg(unix)]
    {
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(super::tests::cache(&link, "fdrl_1").write(&ada(), &token, noon()).is_err());
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink() && !target.exists());
    }
}
