//! `until`.
//!
//! Invariant: a date that is accepted is a day that somebody can mean.

use jiff::civil::Date;

use super::{Cx, shown};
use crate::config::{
    document::Sp,
    yaml::{Node, Sort, Value},
};

/// Years that a date can be meant to have: another one is a slip, and would end access at once or never.
const YEARS: std::ops::RangeInclusive<i16> = 2020..=2100;

/// Whether a text is a date as programs write it that take plain dates for points in time.
fn is_midnight(text: &str) -> bool {
    let Some((date, time)) = text.split_at_checked(10) else { return false };
    date.parse::<Date>().is_ok()
        && time
            .strip_prefix(['T', 't', ' '])
            .and_then(|time| time.strip_prefix("00:00:00"))
            .is_some_and(|zone| {
                let zone = zone.trim_start();
                let zone = zone.strip_prefix('.').map_or(zone, |part| part.trim_start_matches('0'));
                matches!(zone, "" | "Z" | "z" | "+00:00" | "+0000")
            })
}

impl Cx<'_> {
    /// Reports dates that a program has rewritten: one finding a file.
    pub(super) fn report_midnights(&mut self) {
        let marks = std::mem::take(&mut self.midnights);
        let Some(first) = marks.first() else { return };
        let others = match marks.len() - 1 {
            0 => String::new(),
            1 => "; so does 1 other date of this file".to_owned(),
            more => format!("; so do {more} other dates of this file"),
        };
        let text =
            self.text.get(first.bytes.0 as usize..first.bytes.1 as usize).unwrap_or_default();
        self.error(
            "config/bad-date",
            *first,
            format!("`{}` holds a time, and `until` is a date{others}", shown(text)),
            "write the day only, in quotes: programs that rewrite YAML turn plain dates into times, and leave quoted ones alone",
        );
    }

    /// A date.
    pub(super) fn date(&mut self, node: Option<&Node<'_>>) -> Option<Sp<Date>> {
        let node = node?;
        let text = match &node.value {
            Value::Scalar(scalar) if scalar.sort == Sort::Text => &*scalar.text,
            _ => {
                self.wrong_type(node, "`until`", "a date", "write it as `2027-03-31`");
                return None;
            }
        };
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if let (true, Ok(date)) = (shape, text.parse::<Date>()) {
            if !YEARS.contains(&date.year()) {
                let near = date.year().rem_euclid(100) + 2000;
                let help = match text.get(4..) {
                    Some(rest) if YEARS.contains(&near) => {
                        format!(
                            "did you mean `{near}{rest}`? remove the line for access without an end"
                        )
                    }
                    _ => "remove the line for access without an end".to_owned(),
                };
                let message = format!(
                    "the year of `{text}` is not between {} and {}",
                    YEARS.start(),
                    YEARS.end()
                );
                self.error_since(true, "config/bad-date", node.mark, message, help);
            }
            return Some(self.sp(date, node.mark));
        }
        if is_midnight(text) {
            // Programs rewrite every date of a file at once: the cause is named once.
            self.midnights.push(node.mark);
            return None;
        }
        let timed = text.get(..10).is_some_and(|head| head.parse::<Date>().is_ok());
        let (message, help) = if timed && text.len() > 10 {
            (
                "holds a time, and `until` is a date",
                "write the last day only: access ends with that day, UTC",
            )
        } else if shape {
            ("is not a day of the calendar", "write it as `2027-03-31`")
        } else {
            ("is not a date", "write it as year, month and day, as in `2027-03-31`")
        };
        self.error("config/bad-date", node.mark, format!("`{}` {message}", shown(text)), help);
        None
    }
}
