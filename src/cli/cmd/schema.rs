//! `charter schema`: the JSON Schema of the files, of a fleet file, of a saved plan, or of a journal line.
//!
//! Invariant: prints what `schema/` holds.

use crate::{
    cli::{
        args::{Schema, SchemaOf},
        failure::{Exit, Failure},
        ui::Ui,
    },
    config,
    render::json::{self, json},
};

pub(in crate::cli) fn run(args: &Schema, ui: &Ui) -> Result<Exit, Failure> {
    let schema = match args.of {
        SchemaOf::Charter => config::schema::schema(),
        SchemaOf::Fleet => config::schema::fleet_schema(),
        SchemaOf::Plan => json::plan_schema(),
        SchemaOf::Journal => json::journal_schema(),
    };
    let text = json(&schema)
        .map_err(|error| Failure::failed(format!("cannot write the schema: {error}")))?;
    ui.data(&text)?;
    Ok(Exit::Done)
}
