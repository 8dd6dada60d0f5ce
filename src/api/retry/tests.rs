//! How long is waited before another try, and when the tries end (`admin-api` notes on retries and rate limits).

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::api::{
    call::Budget,
    client::{Client, Options},
    clock::Clock as _,
    error::WriteError,
    script::{Answer, Script, client, clock, key, ok, refusal},
    transport::{Method, RawRequest},
    wire::Me,
};

fn me() -> Answer {
    ok(&json!({"id": "org-1", "name": "Acme", "type": "organization"}))
}

fn post() -> RawRequest {
    let target = "/v1/organizations/invites".to_owned();
    RawRequest { method: Method::Post, target, headers: Vec::new(), body: Some("{}".into()) }
}

async fn write(answers: Vec<Answer>) -> (WriteError, usize) {
    let script = Script::new(answers);
    let error = client(&script, &clock()).writer().send(post(), Resend::Safe, Budget::Shared).await;
    assert_eq!(script.left(), 0, "fewer requests than scripted: {error:?}");
    (error.unwrap_err(), script.requests().len())
}

#[tokio::test]
async fn conflicts_end_after_three_tries() {
    let answers = (0..3).map(|_| refusal(409, None, &[])).collect();
    let (error, sent) = write(answers).await;
    assert!(error.error().is_conflict());
    assert_eq!(sent, 3);
}

#[tokio::test]
async fn x_should_retry_false_ends_the_tries() {
    for status in [409, 429, 500] {
        let answer = refusal(status, None, &[("x-should-retry", "false")]);
        let (error, sent) = write(vec![answer]).await;
        assert_eq!((error.error().status(), sent), (Some(status), 1));
    }
}

#[tokio::test]
async fn x_should_retry_true_sends_a_read_again() {
    let script = Script::new([refusal(400, None, &[("x-should-retry", "true")]), me()]);
    client(&script, &clock()).reader().get::<Me>(&["me"]).await.unwrap();
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn each_form_of_retry_after_is_waited_for_to_the_millisecond() {
    let forms: [(&str, &str, u64); 5] = [
        ("retry-after-ms", "1250", 1_250),
        ("retry-after", "7", 7_000),
        ("retry-after", "0.35", 350),
        ("retry-after", "Sun, 22 Nov 2026 10:00:09 GMT", 9_000),
        ("retry-after", " 2 ", 2_000),
    ];
    for status in [429, 503] {
        for (name, value, wait) in forms {
            let (script, clock) =
                (Script::new([refusal(status, None, &[(name, value)]), me()]), clock());
            client(&script, &clock).reader().get::<Me>(&["me"]).await.unwrap();
            assert_eq!(clock.monotonic(), Duration::from_millis(wait), "{status} {name}: {value}");
        }
    }
}

#[tokio::test]
async fn a_date_to_wait_for_is_read_by_the_clock_that_gave_it() {
    let late = [
        ("date", "Sun, 22 Nov 2026 09:00:00 GMT"),
        ("retry-after", "Sun, 22 Nov 2026 09:00:03 GMT"),
    ];
    let (script, clock) = (Script::new([refusal(429, None, &late), me()]), clock());
    client(&script, &clock).reader().get::<Me>(&["me"]).await.unwrap();
    assert_eq!(clock.monotonic(), Duration::from_secs(3));
}

#[tokio::test]
async fn retry_after_ms_goes_before_retry_after() {
    let both = [("retry-after", "60"), ("retry-after-ms", "100")];
    let (script, clock) = (Script::new([refusal(429, None, &both), me()]), clock());
    client(&script, &clock).reader().get::<Me>(&["me"]).await.unwrap();
    assert_eq!(clock.monotonic(), Duration::from_millis(100));
}

#[tokio::test]
async fn a_retry_after_that_says_nothing_useful_is_passed_over() {
    for value in ["0", "-3", "soon", "NaN", "inf", "Sun, 22 Nov 2026 09:59:00 GMT"] {
        let (script, clock) =
            (Script::new([refusal(500, None, &[("retry-after", value)]), me()]), clock());
        client(&script, &clock).reader().get::<Me>(&["me"]).await.unwrap();
        let waited = clock.monotonic();
        assert!(
            waited >= Duration::from_millis(375) && waited <= Duration::from_millis(500),
            "{value}: {waited:?}"
        );
    }
}

#[tokio::test]
async fn without_retry_after_waits_double_up_to_eight_seconds_less_a_quarter_at_most() {
    let (script, clock) = (Script::new((0..6).map(|_| refusal(500, None, &[]))), clock());
    client(&script, &clock).reader().get::<Me>(&["me"]).await.unwrap_err();
    let waits = clock.sleeps();
    assert_eq!(waits.len(), 5);
    for (wait, whole) in waits.iter().zip([0.5, 1.0, 2.0, 4.0, 8.0]) {
        let wait = wait.as_secs_f64();
        assert!(wait <= whole && wait >= whole * 0.75, "{wait} of {whole}");
    }
}

#[tokio::test]
async fn a_wait_too_long_to_sit_out_fails_at_once_and_keeps_others_from_asking() {
    let (script, clock) =
        (Script::new([refusal(429, None, &[("retry-after", "1800")]), me()]), clock());
    let client = client(&script, &clock);
    let error = client.reader().get::<Me>(&["me"]).await.unwrap_err();
    assert_eq!(error.status(), Some(429));
    assert!(
        error.next_step().unwrap().starts_with("run again in 30 min"),
        "{:?}",
        error.next_step()
    );
    let error = client.reader().get::<Me>(&["me"]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GET /v1/organizations/me: not sent, since the API asked to wait 30 min"
    );
    clock.advance(Duration::from_mins(30));
    client.reader().get::<Me>(&["me"]).await.unwrap();
}

#[tokio::test]
async fn the_invites_own_long_wait_does_not_keep_others_from_asking() {
    let script = Script::new([refusal(429, None, &[("retry-after", "1800")]), me()]);
    let client = client(&script, &clock());
    client.writer().send(post(), Resend::LookFirst, Budget::Invites).await.unwrap_err();
    client.reader().get::<Me>(&["me"]).await.unwrap();
    let error = client.writer().send(post(), Resend::LookFirst, Budget::Invites).await.unwrap_err();
    assert!(matches!(error, WriteError::Failed(ApiError::Limited { .. })));
}

#[tokio::test]
async fn one_429_cools_every_task_down() {
    let (script, clock) =
        (Script::new([refusal(429, None, &[("retry-after", "20")]), me(), me()]), clock());
    let client = client(&script, &clock);
    let first = client.reader();
    let second = {
        let (reader, clock) = (client.reader(), clock.clone());
        async move {
            clock.sleep(Duration::from_secs(5)).await;
            reader.get::<Me>(&["me"]).await.unwrap();
            clock.monotonic()
        }
    };
    let (first, second) = tokio::join!(first.get::<Me>(&["me"]), second);
    first.unwrap();
    assert_eq!(second, Duration::from_secs(20));
}

#[tokio::test]
async fn refusals_by_the_request_limit_use_up_no_tries() {
    let mut answers: Vec<Answer> = Vec::new();
    for _ in 0..7 {
        answers.push(refusal(429, None, &[("retry-after", "1")]));
    }
    answers.extend((0..5).map(|_| refusal(503, None, &[])));
    answers.push(me());
    let script = Script::new(answers);
    client(&script, &clock()).reader().get::<Me>(&["me"]).await.unwrap();
    assert_eq!(script.requests().len(), 13);
}

#[tokio::test]
async fn a_limit_that_lets_nothing_through_is_given_up_after_five_minutes_and_says_so() {
    let (script, clock) =
        (Script::new((0..40).map(|_| refusal(429, None, &[("retry-after", "1")]))), clock());
    let error = client(&script, &clock).reader().get::<Me>(&["me"]).await.unwrap_err();
    assert_eq!(error.status(), Some(429));
    let waited = clock.monotonic();
    assert!(waited > Duration::from_mins(4) && waited <= Duration::from_mins(5), "{waited:?}");
    let help = error.next_step().unwrap();
    assert!(help.contains("something else uses up the organization's request limit"), "{help}");
    assert!(script.requests().len() < 25, "{} tries", script.requests().len());
}

#[tokio::test]
async fn tries_count_against_the_budget() {
    let script = Script::new([refusal(500, None, &[]), me()]);
    let clock = clock();
    let options = Options { requests_per_minute: 1, ..Options::default() };
    let client = Client::new(script, key(), Arc::new(clock.clone()), options);
    client.reader().get::<Me>(&["me"]).await.unwrap();
    assert_eq!(clock.monotonic(), Duration::from_mins(1));
}

/// What comes of answers with this status and code to a request, and how often it was sent.
async fn coded(
    (method, path, resend): (Method, &str, Resend),
    answers: Vec<Answer>,
) -> (Result<(), WriteError>, usize) {
    let target = format!("/v1/organizations/{path}");
    let request = RawRequest { method, target, headers: Vec::new(), body: Some("{}".into()) };
    let script = Script::new(answers);
    let sent = client(&script, &clock()).writer().send(request, resend, Budget::Shared).await;
    (sent.map(|_| ()), script.requests().len())
}

const CREATE: (Method, &str, Resend) = (Method::Post, "workspaces", Resend::LookFirst);
const UPDATE: (Method, &str, Resend) = (Method::Post, "workspaces/w", Resend::Safe);
const ARCHIVE: (Method, &str, Resend) = (Method::Post, "workspaces/w/archive", Resend::Gone);
const REMOVE: (Method, &str, Resend) = (Method::Delete, "users/u", Resend::Gone);

fn workspace() -> Answer {
    ok(&json!({"id": "w", "type": "workspace"}))
}

#[tokio::test]
async fn what_a_code_calls_done_is_never_sent_again_whatever_status_and_header_say() {
    for (call, status, code) in [
        (CREATE, 503, "workspace_created_incomplete"),
        (ARCHIVE, 409, "storage_attached_during_archive"),
    ] {
        for header in [&[][..], &[("x-should-retry", "true"), ("retry-after", "1")][..]] {
            let (sent, times) = coded(call, vec![refusal(status, Some(code), header)]).await;
            assert!(matches!(sent, Err(WriteError::Done(_))), "{code}: {sent:?}");
            assert_eq!(times, 1, "{code}");
        }
    }
    let partly = refusal(409, Some("workspace_changed_concurrently"), &[]);
    let (sent, times) = coded(UPDATE, vec![partly]).await;
    assert!(matches!(sent, Err(WriteError::Partly(_))) && times == 1, "{sent:?}");
}

#[tokio::test]
async fn what_a_code_calls_not_done_is_sent_again_creates_too_though_a_header_forbids_it() {
    for (call, status, code) in [
        (CREATE, 503, "authorization_check_unavailable"),
        (CREATE, 409, "external_key_changed"),
        (CREATE, 400, "external_key_validation_timed_out"),
        (UPDATE, 503, "change_outcome_unknown"),
    ] {
        let header = if code == "change_outcome_unknown" { "true" } else { "false" };
        let answer = refusal(status, Some(code), &[("x-should-retry", header)]);
        let (sent, times) = coded(call, vec![answer, workspace()]).await;
        assert_eq!((sent, times), (Ok(()), 2), "{code}");
    }
    // Other changes of members can take a while.
    let busy = || refusal(409, Some("concurrent_membership_change"), &[]);
    let gone = ok(&json!({"id": "u", "type": "user_deleted"}));
    let answers = vec![busy(), busy(), busy(), busy(), busy(), gone];
    assert_eq!(coded(REMOVE, answers).await, (Ok(()), 6));
}

#[tokio::test]
async fn a_refusal_with_a_code_that_is_decided_is_final_though_a_header_asks_to_send_it_again() {
    let taken = refusal(400, Some("storage_profile_mismatch"), &[("x-should-retry", "true")]);
    let (sent, times) = coded(UPDATE, vec![taken]).await;
    assert!(matches!(sent, Err(WriteError::Failed(_))) && times == 1, "{sent:?}");
    let unknown = refusal(400, Some("from_the_future"), &[("x-should-retry", "true")]);
    assert_eq!(coded(UPDATE, vec![unknown, workspace()]).await, (Ok(()), 2));
}

#[tokio::test]
async fn a_status_is_judged_by_the_table_of_the_contract() {
    for status in [402, 404, 412, 413, 431, 501] {
        for call in [CREATE, UPDATE] {
            let (sent, times) = coded(call, vec![refusal(status, None, &[])]).await;
            assert!(matches!(sent, Err(WriteError::Failed(_))) && times == 1, "{status}: {sent:?}");
        }
    }
    for status in [408, 499, 500, 503, 504, 529] {
        let (sent, times) = coded(CREATE, vec![refusal(status, None, &[])]).await;
        assert!(matches!(sent, Err(WriteError::Unknown(_))) && times == 1, "{status}: {sent:?}");
        let answers = vec![refusal(status, None, &[]), workspace()];
        assert_eq!(coded(UPDATE, answers).await, (Ok(()), 2), "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_contradicts_its_request_is_asked_for_again_and_never_a_success() {
    let other = || ok(&json!({"id": "other", "type": "workspace"}));
    assert_eq!(coded(UPDATE, vec![other(), other(), workspace()]).await, (Ok(()), 3));
    for (call, times) in [(UPDATE, 3), (ARCHIVE, 3)] {
        let (sent, sends) = coded(call, (0..times).map(|_| other()).collect()).await;
        let Err(WriteError::Unknown(error)) = sent else { panic!("{sent:?}") };
        assert_eq!(sends, times);
        assert!(
            error.to_string().contains("the answer contradicts the request: id is `other`"),
            "{error}"
        );
    }
}

fn told(status: u16) -> ApiError {
    let Ok(response) = refusal(status, None, &[]) else { unreachable!() };
    ApiError::from_response(crate::api::error::Asked::of(&post()), &response)
}

fn waits(wait: Duration, waited: Duration) -> Verdict {
    let hints = Hints { wait: Some(wait), should_retry: None };
    judge(
        &told(500),
        hints,
        Rule::Read,
        Tries { made: 1, waited, ..Tries::default() },
        Duration::ZERO,
    )
}

#[test]
fn two_minutes_are_waited_and_not_a_millisecond_more() {
    let (more, before) = (Duration::from_millis(1), ALL_WAITS.saturating_sub(LONGEST));
    assert_eq!(waits(LONGEST, Duration::ZERO), Verdict::After(LONGEST));
    assert_eq!(waits(LONGEST + more, Duration::ZERO), Verdict::Stop);
    assert_eq!(waits(LONGEST, before), Verdict::After(LONGEST));
    assert_eq!(waits(LONGEST, before + more), Verdict::Stop);
}

#[test]
fn a_host_that_cannot_be_reached_is_tried_three_times() {
    let asked = crate::api::error::Asked::of(&post());
    let error =
        ApiError::Transport { asked, source: TransportError::Connect("no route".to_owned()) };
    for (made, again) in [(1, true), (2, true), (3, false), (4, false)] {
        let tries = Tries { made, ..Tries::default() };
        let verdict =
            judge(&error, Hints::default(), Rule::Read, tries, Duration::from_millis(500));
        assert_eq!(verdict != Verdict::Stop, again, "after {made} tries");
    }
}

#[test]
fn a_redirect_is_not_tried_again_whatever_its_headers_say() {
    let hints = Hints { wait: None, should_retry: Some(true) };
    for status in [301, 307] {
        let verdict =
            judge(&told(status), hints, Rule::Read, Tries::default(), Duration::from_millis(500));
        assert_eq!(verdict, Verdict::Stop, "{status}");
    }
}

#[tokio::test]
async fn other_trouble_does_not_count_as_a_conflict() {
    let mut answers: Vec<Answer> = (0..3).map(|_| refusal(503, None, &[])).collect();
    answers.extend([refusal(409, None, &[]), me()]);
    let script = Script::new(answers);
    client(&script, &clock()).reader().get::<Me>(&["me"]).await.unwrap();
    assert_eq!(script.requests().len(), 5);
}

#[tokio::test]
async fn after_a_wait_of_two_minutes_the_next_request_is_sent() {
    let slow = || refusal(429, None, &[("retry-after", "120")]);
    let script = Script::new([slow(), slow(), slow(), me()]);
    let client = client(&script, &clock());
    // The third would wait longer than one request may in all.
    assert_eq!(client.reader().get::<Me>(&["me"]).await.unwrap_err().status(), Some(429));
    client.reader().get::<Me>(&["me"]).await.unwrap();
}

#[test]
fn jitter_is_the_published_splitmix64_and_evenly_spread() {
    let jitter = Jitter::new(1_234_567);
    for number in [
        6_457_827_717_110_365_317_u64,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
    ] {
        let high = f64::from(u32::try_from(number >> 32).unwrap());
        assert!((jitter.unit() - high / 2_f64.powi(32)).abs() < 1e-12);
    }
    let mut tenths = [0; 10];
    for _ in 0..10_000 {
        let unit = jitter.unit();
        assert!((0.0..1.0).contains(&unit), "{unit}");
        let index = (0..10).rfind(|tenth| f64::from(*tenth) / 10.0 <= unit).unwrap();
        tenths[usize::try_from(index).unwrap()] += 1;
    }
    assert!(tenths.iter().all(|count| (800..1_200).contains(count)), "{tenths:?}");
}
