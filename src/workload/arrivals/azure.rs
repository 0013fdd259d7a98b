//! `azure_code` and `azure_conv`: the burstiness of the two Azure LLM inference traces of 2023 (code completion and
//! conversation; CC-BY-4.0, published with Splitwise, ISCA 2024), without their data.
//!
//! Both are `mmpp2` with parameters fitted by hand to four figures of each trace: the coefficient of variation of the
//! gaps and the index of dispersion in windows of 1, 10 and 60 s, at the trace's own mean rate. At another rate the
//! process is stretched with the tenant's mean gap.
//!
//! | | requests/s | gap CV | 1 s | 10 s | 60 s |
//! |---|---|---|---|---|---|
//! | code, published | 2.57 | 13.2 | 13 | 72 | 164 |
//! | `azure_code` | 2.57 | 13.1 | 12.0 | 78 | 150 |
//! | conv, published | 5.53 | 1.09 | 1.4 | 3.9 | 16.1 |
//! | `azure_conv` | 5.53 | 1.06 | 1.3 | 4.1 | 16.8 |
//!
//! Code: its CV^2, 174, is close to its dispersion over a minute, so the process consists of bursts only: it is on or
//! off. For such a process CV^2 - 1 = A = 2 r p / s with the relative rate r while on, the share of time off p and the
//! switching rate s, and the dispersion is 1 + A g(s t) with g(x) = 1 - (1 - e^-x) / x. A = 169 and s = 0.0531 per mean
//! gap are the compromise between the three windows: bursts of 9 s at 5.5 times the mean rate, then 40 s of silence.
//! Conv: nearly Poisson in the short run (CV near 1), on a rate that drifts: its dispersion grows in proportion to the
//! window up to a minute. Two equal states 24 % above and below the mean, kept for 200 s, do that.

use super::mmpp2::Mmpp2;
use super::{ArrivalKind, Law, Rate};
use crate::files::{NoParameters, parse_parameters};

const SOURCE: &str = "fitted to the Azure LLM inference traces 2023 (Splitwise, Patel et al., ISCA 2024)";

pub(super) const CODE: ArrivalKind = ArrivalKind {
    name: "azure_code",
    doc: "bursts and silences of code completion: mmpp2 with rates [5.5, 0], dwell [23, 103.5]",
    source: SOURCE,
    rate: Rate::Given,
    parameters: &[],
    read: |table| preset(table, code()),
};

pub(super) const CONV: ArrivalKind = ArrivalKind {
    name: "azure_conv",
    doc: "the drifting rate of conversations: mmpp2 with rates [1.24, 0.76], dwell [1106, 1106]",
    source: SOURCE,
    rate: Rate::Given,
    parameters: &[],
    read: |table| preset(table, conv()),
};

pub(super) fn code() -> Mmpp2 {
    Mmpp2::new([5.5, 0.0], [23.0, 103.5])
}

pub(super) fn conv() -> Mmpp2 {
    Mmpp2::new([1.24, 0.76], [1106.0, 1106.0])
}

fn preset(table: &toml::Table, law: Mmpp2) -> Result<Box<dyn Law>, String> {
    parse_parameters::<NoParameters>(table)?;
    Ok(Box::new(law))
}
