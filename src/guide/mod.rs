//! The user's guide, a chapter per module. The same text is readable as Markdown in `src/guide/`, and the crate's front page
//! is its last chapter, the architecture.
//!
//! - [`quickstart`]: the first run, and how to read its table
//! - [`experiments`]: sweeps, their keys, resuming and replaying, the sustained load
//! - [`scenarios`]: tenants, arrival processes, recordings, networks and accelerators of your own
//! - [`serving`]: fleets of sites and links, and topologies of your own
//! - [`schedulers`]: the rules, what a scheduler sees, what decisions cost, a scheduler of your own
//! - [`policies`]: the learned policies and how they are trained
//! - [`metrics`]: the CSV files, every column, and what the intervals are
//! - [`results`]: pictures, rankings, comparisons, and the bound of the SLA rate
//! - [`paper`]: from an empty folder to the figures and the table of a paper
//! - [`model`]: what is modelled, what is left out, and how well contention is modelled
//! - [`verification`]: what each part was compared with
//! - [`performance`]: how long things take

/// A chapter: its links as rustdoc knows them, for the first definition of a link counts, and its text.
macro_rules! chapters {
    ($($name:ident: $file:literal),* $(,)?) => {
        $(pub mod $name {
            #![doc = include_str!("links.md")]
            #![doc = include_str!($file)]
        })*
    };
}

chapters! {
    quickstart: "quickstart.md",
    experiments: "experiments.md",
    scenarios: "scenarios.md",
    serving: "serving.md",
    schedulers: "schedulers.md",
    policies: "policies.md",
    metrics: "metrics.md",
    results: "results.md",
    paper: "paper.md",
    model: "model.md",
    verification: "verification.md",
    performance: "performance.md",
}
