//! The user's guide, a chapter per module. The same text is readable as Markdown in `src/guide/`, and `mascot guide CHAPTER`
//! prints it; the crate's front page is its last chapter, the architecture.

/// A chapter of the guide.
#[derive(Clone, Copy, Debug)]
pub struct Chapter {
    /// Its name, that of its module and file.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its text in Markdown.
    pub text: &'static str,
}

/// A chapter: its links as rustdoc knows them, for the first definition of a link counts, and its text.
macro_rules! chapters {
    ($($name:ident: $file:literal, $about:literal;)*) => {
        $(
        #[doc = $about]
        pub mod $name {
            #![doc = ""]
            #![doc = include_str!("links.md")]
            #![doc = include_str!($file)]
        })*

        /// All chapters, in the order in which to read them.
        pub const CHAPTERS: &[Chapter] = &[
            $(Chapter { name: stringify!($name), about: $about, text: include_str!($file) },)*
            Chapter {
                name: "architecture",
                about: "The map of the code: where everything is, and where to add something.",
                text: include_str!("architecture.md"),
            },
        ];
    };
}

chapters! {
    quickstart: "quickstart.md", "The first run, and how to read its table.";
    experiments: "experiments.md", "Sweeps, their keys, resuming and replaying, the sustained load.";
    scenarios: "scenarios.md", "Tenants, arrival processes, recordings, networks and accelerators of your own.";
    serving: "serving.md", "Fleets of sites and links, and topologies of your own.";
    schedulers: "schedulers.md", "The rules, what a scheduler sees, what decisions cost, a scheduler of your own.";
    policies: "policies.md", "The learned policies and how they are trained.";
    metrics: "metrics.md", "The CSV files, every column, and what the intervals are.";
    results: "results.md", "Pictures, rankings, comparisons, and the bound of the SLA rate.";
    paper: "paper.md", "From an empty folder to the figures and the table of a paper.";
    python: "python.md", "Sweeps as data frames, environments for Gymnasium and PettingZoo, schedulers in Python.";
    model: "model.md", "What is modelled, what is left out, and how well contention is modelled.";
    verification: "verification.md", "What each part was compared with.";
    performance: "performance.md", "How long things take.";
}
