//! `charter diff`: two files or folders, without network.
//!
//! Invariant: reads files and nothing else.

use jiff::Timestamp;
use serde_json::json;

use crate::{
    cli::{
        args::{Diff, Format},
        failure::{Exit, Failure},
        prepare::Files,
        ui::Ui,
    },
    plan::{compare::compare, rules::rules},
    render::{self, json::json as printed, text::Options},
};

pub(in crate::cli) fn run(args: &Diff, ui: &Ui) -> Result<Exit, Failure> {
    let Diff { old, new, format } = args;
    let (old, new) = (Files::read(old)?, Files::read(new)?);
    let now = Timestamp::now();
    let compared = compare(&old.wishes(now).desired, &new.wishes(now).desired);
    let rules = rules(old.document(), new.document(), &compared);
    match format {
        Format::Text => {
            let options = Options { width: ui.width, calls: false };
            ui.data(&render::diff::diff(&rules, &compared, options))?;
        }
        Format::Json => {
            let changes: Vec<_> = compared
                .changes
                .iter()
                .map(|(address, change)| json!({"address": address, "change": change}))
                .collect();
            let value = json!({
                "format_version": 1,
                "rules": rules,
                "changes": changes,
                "access": compared.access,
            });
            let text = printed(&value).map_err(|error| {
                Failure::failed(format!("cannot write the comparison as JSON: {error}"))
            })?;
            ui.data(&text)?;
        }
    }
    Ok(Exit::Done)
}
