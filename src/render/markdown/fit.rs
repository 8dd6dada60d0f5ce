//! Fits sections into a number of letters.
//!
//! Invariant: the result is never longer than asked for; what a section must keep goes last, and what is left out is
//! counted where it would have stood.

use std::collections::BTreeMap;

use crate::render::clean::markup::{fence, shortened};

/// One collapsible section.
pub(super) struct Section {
    /// Its title, in our own words.
    pub(super) title: String,
    /// It is unfolded at first.
    pub(super) open: bool,
    /// How many of its lines are kept whatever happens.
    pub(super) kept: usize,
    /// Its lines.
    pub(super) lines: Vec<Line>,
}

/// One entry of a section; it may have several lines, all clean.
pub(super) struct Line {
    /// A heading over this entry, where the one before had another.
    pub(super) under: Option<String>,
    /// Its first line starts with what colours it: `+ `, `- `, `! `, or two spaces.
    pub(super) text: String,
    /// What it counts as if it is left out: `grants to revoke`; one and several.
    pub(super) counts_as: (String, String),
}

/// How long the lines may be: the longest that fits is taken.
const WIDTHS: [usize; 4] = [400, 200, 110, 72];
/// What a fence and its like take besides the lines.
const FRAME: usize = 60;
/// Sorts of entries that are counted by themselves where entries are left out.
const SORTS: usize = 12;

/// The text: the head, and of the sections as much as fits.
pub(super) fn fit(head: &str, sections: &[Section], most: usize) -> String {
    let wanted = |width: usize| {
        let all: Vec<usize> = sections.iter().map(|section| section.lines.len()).collect();
        written(head, sections, &all, width)
    };
    let whole = wanted(WIDTHS[0]);
    if letters(&whole) <= most {
        return whole;
    }
    let mut shown: Vec<usize> =
        sections.iter().map(|section| section.kept.min(section.lines.len())).collect();
    let fits = |shown: &[usize], width: usize| {
        let text = written(head, sections, shown, width);
        (letters(&text) <= most).then_some(text)
    };
    let widest = WIDTHS.into_iter().find(|width| fits(&shown, *width).is_some());
    let width = widest.unwrap_or(WIDTHS[WIDTHS.len() - 1]);
    // The rest is shared: each section in turn may take its part of what is free, then all of it.
    for fair in [true, false] {
        for at in 0..sections.len() {
            let used = letters(&written(head, sections, &shown, width));
            let free = most.saturating_sub(used);
            let part = if fair { free / (sections.len() - at) } else { free };
            shown[at] += taken(&sections[at], shown[at], width, part);
        }
    }
    loop {
        if let Some(text) = fits(&shown, width) {
            return text;
        }
        // What was taken was too much after all, or even what must be kept is: the last section gives first, and
        // then the longest.
        let spare = |at: &usize| shown[*at].saturating_sub(sections[*at].kept);
        let last = (0..shown.len()).rev().find(|at| spare(at) > 0);
        match last.or_else(|| (0..shown.len()).max_by_key(|at| shown[*at])) {
            Some(at) if spare(&at) > 0 => shown[at] -= spare(&at).div_ceil(10),
            Some(at) if shown[at] > 0 => shown[at] -= shown[at].div_ceil(10),
            _ => return shortened(head, most).into_owned(),
        }
    }
}

/// How many more lines of a section go into a number of letters.
fn taken(section: &Section, shown: usize, width: usize, part: usize) -> usize {
    let mut left = part.saturating_sub(FRAME);
    let mut taken = 0;
    for line in &section.lines[shown..] {
        let cost = cost(line, width);
        if cost > left {
            break;
        }
        left -= cost;
        taken += 1;
    }
    taken
}

/// The letters that a line takes; a heading is counted with each line, which is too much rather than too little.
fn cost(line: &Line, width: usize) -> usize {
    let under = line.under.as_ref().map_or(0, |under| letters(under).min(width) + 8);
    line.text.lines().map(|text| letters(text).min(width) + 1).sum::<usize>() + under
}

fn written(head: &str, sections: &[Section], shown: &[usize], width: usize) -> String {
    let mut out = head.to_owned();
    for (section, shown) in sections.iter().zip(shown) {
        out.push_str(&one(section, *shown, width));
    }
    out
}

fn one(section: &Section, shown: usize, width: usize) -> String {
    let Section { title, open, kept: _, lines } = section;
    let open = if *open { " open" } else { "" };
    let mut out = format!("<details{open}><summary><b>{title}</b></summary>\n\n");
    let (head, rest) = lines.split_at(shown.min(lines.len()));
    let mut texts: Vec<String> = Vec::new();
    let mut under = None;
    for line in head {
        if line.under != under {
            under.clone_from(&line.under);
            texts.extend(under.iter().map(|under| format!("@@ {} @@", shortened(under, width))));
        }
        texts.extend(line.text.lines().map(|text| shortened(text, width).into_owned()));
    }
    if !texts.is_empty() {
        out.push_str(&fence("diff", texts.iter().map(String::as_str)));
        out.push('\n');
    }
    if !rest.is_empty() {
        let more = if head.is_empty() { "" } else { " more" };
        out.extend([format!(
            "**{}{more}, left out to keep this short:** {}. The text and JSON forms have all.\n\n",
            rest.len(),
            left_out(rest)
        )]);
    }
    out.push_str("</details>\n\n");
    out
}

/// What the lines that are left out are, counted.
fn left_out(lines: &[Line]) -> String {
    let mut counts: BTreeMap<&(String, String), usize> = BTreeMap::new();
    for line in lines {
        *counts.entry(&line.counts_as).or_default() += 1;
    }
    let mut words: Vec<String> = counts
        .iter()
        .take(SORTS)
        .map(|((one, many), number)| format!("{number} {}", if *number == 1 { one } else { many }))
        .collect();
    let rest: usize = counts.values().skip(SORTS).sum();
    if rest > 0 {
        words.push(format!("{rest} others"));
    }
    words.join(", ")
}

fn letters(text: &str) -> usize {
    text.chars().count()
}
