//! `tests/cmd/*.md` and the README: each console block is run with the real binary, and shows what a user reads.
//!
//! Invariant: no block depends on the environment, the clock or the network.

#[test]
fn every_console_block_shows_what_charter_says() {
    let cases = trycmd::TestCases::new();
    for name in [
        "ANTHROPIC_ADMIN_KEY",
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_FEDERATION_RULE_ID",
        "ANTHROPIC_IDENTITY_TOKEN",
        "ANTHROPIC_IDENTITY_TOKEN_FILE",
        "CHARTER_JOURNAL",
        "CHARTER_LOG",
        "HOME",
        "XDG_STATE_HOME",
    ] {
        // Empty counts as not set.
        cases.env(name, "");
    }
    cases.env("NO_COLOR", "1").env("COLUMNS", "80");
    cases.case("tests/cmd/*.md").case("README.md");
}
