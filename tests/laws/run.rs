//! Runs a law over random organizations, and says what broke it.
//!
//! Invariant: a law has held for as many organizations as were asked for, and these had everything odd in them.

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, Reason, RngSeed, TestCaseError, TestError, TestRunner},
};

use crate::{
    coverage::Coverage,
    generate::{Case, blueprints},
};

/// How many organizations a law is tried on.
pub(crate) const CASES: u32 = 500;
/// Where the organizations come from unless `PROPTEST_RNG_SEED` says otherwise.
const SEED: u64 = 2026;

/// What a law says of one organization: nothing, or how it is broken.
pub(crate) type Verdict = Result<(), String>;

/// Fails a law with a message unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}
pub(crate) use ensure;

/// Tries a law. Every organization counts towards the coverage that is checked at the end.
pub(crate) fn law(name: &'static str, holds: impl Fn(&Case, &mut Coverage) -> Verdict) {
    let asked = |variable: &str| std::env::var_os(variable).is_some();
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if !asked("PROPTEST_MAX_SHRINK_ITERS") {
        config.max_shrink_iters = 4_000;
    }
    if !asked("PROPTEST_CASES") {
        config.cases = CASES;
    }
    if !asked("PROPTEST_RNG_SEED") {
        // Each law looks at other organizations.
        let own = name.bytes().fold(SEED, |seed, byte| seed.rotate_left(5) ^ u64::from(byte));
        config.rng_seed = RngSeed::Fixed(own);
    }
    let cases = config.cases;
    let coverage = std::cell::RefCell::new(Coverage::default());
    let started = std::time::Instant::now();
    let result = TestRunner::new(config).run(&blueprints(), |blueprint| {
        let case = blueprint.build();
        let mut coverage = coverage.borrow_mut();
        coverage.look_at(&case);
        holds(&case, &mut coverage).map_err(TestCaseError::fail)
    });
    match result {
        Ok(()) => {}
        Err(TestError::Abort(why)) => panic!("law {name} was not tried: {why}"),
        Err(TestError::Fail(why, blueprint)) => {
            panic!("law {name} is broken: {why}\n{}", blueprint.build())
        }
    }
    println!("law {name}: {cases} organizations in {:.1?}", started.elapsed());
    coverage.into_inner().complete(cases);
}

/// A few organizations, the same ones each time.
pub(crate) fn samples(count: usize) -> Vec<Case> {
    let config = Config { rng_seed: RngSeed::Fixed(SEED), ..Config::default() };
    let mut runner = TestRunner::new(config);
    let sample = || Ok(blueprints().new_tree(&mut runner)?.current().build());
    std::iter::repeat_with(sample).take(count).collect::<Result<_, Reason>>().expect("samples")
}
