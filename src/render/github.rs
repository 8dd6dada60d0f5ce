//! Findings and steps as workflow commands of GitHub Actions, which show them on the lines of the files.
//!
//! Invariant: each line is one command that starts with one of three words of ours; nothing in it can start another.

use super::{
    clean::markup::{command_message, command_property, shortened},
    places::Places,
    review::{PASSED, Review, Standing, rule_change},
    weight::by_weight,
};
use crate::diagnostic::{Severity, Span};

/// Annotations of one level: GitHub shows ten of each for a step, and the log keeps these.
const MOST: usize = 100;
/// The longest message.
const LONGEST: usize = 2_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Error,
    Warning,
    Notice,
}

impl Level {
    const ALL: [Level; 3] = [Level::Error, Level::Warning, Level::Notice];

    fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Notice => "notice",
        }
    }
}

struct Annotation<'a> {
    level: Level,
    at: Option<&'a Span>,
    title: String,
    message: String,
}

/// The commands: guards that were passed before all, then errors, then what takes something away or needs a person, then the rest.
pub fn annotations(review: &Review<'_>, places: &Places) -> String {
    let all = all(review);
    let mut out = String::new();
    if let Some(passed) = &review.passed {
        let (title, message) = (PASSED.to_owned(), passed.clone());
        let first = Annotation { level: Level::Warning, at: None, title, message };
        out.push_str(&command(&first, places));
    }
    for level in Level::ALL {
        let mut of_level = all.iter().filter(|one| one.level == level);
        out.extend(of_level.by_ref().take(MOST).map(|one| command(one, places)));
        let rest = of_level.count();
        if rest > 0 {
            let message = format!("and {rest} more: see the step's summary");
            let title = format!("charter {}", review.command);
            out.push_str(&command(&Annotation { level, at: None, title, message }, places));
        }
    }
    out
}

fn all<'a>(review: &'a Review<'_>) -> Vec<Annotation<'a>> {
    let mut all = Vec::new();
    for finding in &review.findings {
        let level = match finding.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warning,
            Severity::Note => Level::Notice,
        };
        let help = finding.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        let message = format!("{}{help}", finding.message);
        all.push(Annotation {
            level,
            at: finding.span.as_ref(),
            title: finding.code.to_string(),
            message,
        });
    }
    for rule in by_weight(&review.rules) {
        all.push(Annotation {
            level: Level::Warning,
            at: rule.at.as_ref(),
            title: "a rule of the files changes".to_owned(),
            message: rule_change(rule),
        });
    }
    let losses = review.losses().into_iter();
    let others = review.entries.iter().filter(|entry| entry.loss.is_none());
    for entry in losses.chain(others) {
        let level = match (entry.standing, entry.loss) {
            (Standing::Ready, Some(_)) | (Standing::Held | Standing::Manual, _) => Level::Warning,
            (Standing::Ready, None) | (Standing::Deferred, _) => Level::Notice,
        };
        let title = format!("charter {}: {}", review.command, entry.word());
        all.push(Annotation { level, at: entry.at, title, message: entry.sentence() });
    }
    all
}

fn command(annotation: &Annotation<'_>, places: &Places) -> String {
    let Annotation { level, at, title, message } = annotation;
    let mut properties = Vec::new();
    let mut message = shortened(message, LONGEST).into_owned();
    if let Some(span) = at {
        properties.push(format!("file={}", command_property(&places.path(&span.file))));
        if let Some(line) = places.line(span) {
            properties.push(format!("line={line}"));
            properties.push(format!("col={}", span.column));
        } else {
            message = format!("{message} (at {})", places.shown(span));
        }
    }
    properties.push(format!("title={}", command_property(title)));
    let message = command_message(&message);
    format!("::{} {}::{message}\n", level.as_str(), properties.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        diagnostic::Diagnostic,
        render::sample::{full, span},
    };

    #[test]
    fn each_step_is_shown_on_its_line_and_losses_come_first() {
        let plan = full();
        let text = annotations(&Review::of_plan("plan", &plan), &Places::default());
        insta::assert_snapshot!(text, @r"
        ::error title=guard/limit::guard `archives`: 1 workspaces or keys archived, for ever, and the limit is 0; check the steps; to pass once, run with `--allow archives=1`
        ::warning file=charter.yaml,line=50,col=3,title=charter plan%3A archive::archive Hackathon 2025: cannot be undone, `state: archived`
        ::warning file=charter.yaml,line=70,col=3,title=charter plan%3A remove::remove eve@acme.com: was developer, not listed
        ::warning file=charter.yaml,line=61,col=3,title=charter plan%3A switch off::switch off old-batch in Production (sk-ant-api03-R2D...igAA): status: active -> inactive
        ::warning file=charter.yaml,line=13,col=3,title=charter plan%3A withdraw::withdraw old@acme.com: was developer, `none` in the files
        ::warning file=charter.yaml,line=8,col=3,title=charter plan%3A change::change grace@acme.com: role: developer -> admin (by hand: the API cannot give the role `admin`: set `grace@acme.com` to `admin` in the Console under Settings > Members)
        ::notice file=charter.yaml,line=9,col=3,title=charter plan%3A invite::invite joan@contractor.io: as claude_code_user, until 2027-03-31, note: SOW-118
        ::notice file=charter.yaml,line=8,col=3,title=charter plan%3A change::change bob@acme.com: role: user -> developer
        ::notice file=charter.yaml,line=12,col=3,title=charter plan%3A re-invite::re-invite dora@acme.com: withdraws the invite and sends a new one, role: user -> developer
        ::notice file=charter.yaml,line=30,col=3,title=charter plan%3A change::change Production: name: Prod -> Production, tags.env: (not set) -> prod
        ::notice file=charter.yaml,line=40,col=3,title=charter plan%3A create::create Research: tags.env: dev, tags.team: r&d
        ::notice file=charter.yaml,line=33,col=3,title=charter plan%3A grant::grant bob@acme.com in Production: as workspace_developer
        ::notice file=charter.yaml,line=34,col=3,title=charter plan%3A grant::grant joan@contractor.io in Production: as workspace_user (deferred: until `joan@contractor.io` accepts the invite)
        ");
    }

    #[test]
    fn text_from_elsewhere_starts_no_command_and_no_property() {
        let mut place = span(4);
        place.file = "a,line=1::b%0A.yaml".into();
        let finding = Diagnostic::error("x/y", "bad `\n::add-mask::x`").at(&place).help("50%\r\n");
        let found = [finding];
        let text = annotations(&Review::of_findings("validate", &found), &Places::default());
        insta::assert_snapshot!(text, @r"::error file=a%2Cline=1%3A%3Ab%250A.yaml,line=4,col=3,title=x/y::bad `\n:\u{3a}add-mask::x`; 50%25\r\n");
    }

    #[test]
    fn more_than_a_hundred_of_a_level_are_counted() {
        let found = vec![Diagnostic::warning("x/y", "z"); 103];
        let text = annotations(&Review::of_findings("validate", &found), &Places::default());
        assert_eq!(text.lines().count(), 101);
        assert!(
            text.ends_with(
                "::warning title=charter validate::and 3 more: see the step's summary\n"
            )
        );
    }
}
