//! The YAML front end: files to one checked document with places.
//!
//! Invariant: everything that is wrong with the files is collected and shown at once, each finding with its place.

mod yaml;
