//! `trace`: the times of a file ([`crate::workload::trace`] says which kinds there are).
//!
//! If a file names tenants, only the rows of this tenant are used. If some rows name a tenant and others do not, that
//! is an error, because every tenant with this file would send the others. Where it names networks (by their label in
//! the scenario, after `map`, or by `network_by`), requests ask for them; else for a draw from the tenant's mix; priorities
//! and deadlines likewise. `trace` in an experiment
//! takes one file for all tenants of any scenario instead.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::{ArrivalKind, Binding, Law, Point, Process, Rate, Setting};
use crate::files::{InputError, Parameter, parse_parameters};
use crate::workload::draw::Draws;
use crate::workload::stream::MAX_REQUESTS;
use crate::workload::trace::{Row, Rows, TraceKeys};

pub(super) const ENTRY: ArrivalKind = ArrivalKind {
    name: "trace",
    doc: "the arrival times in a file; if it names tenants, those of this tenant",
    source: "recorded: Azure LLM, Azure Functions, BurstGPT, DISB, or `mascot trace gen`",
    rate: Rate::Own,
    parameters: &[
        Parameter { name: "file", default: "", doc: "CSV or DISB JSON, from the folder of the scenario" },
        Parameter { name: "speedup", default: "1", doc: "how many times faster than recorded" },
        Parameter { name: "map", default: "{}", doc: "names in the file = names in the scenario" },
        Parameter {
            name: "network_by",
            default: "{}",
            doc: "networks by size: { columns = [...], ranges = [{ up_to, network }, ...] }",
        },
        Parameter { name: "priority", default: "\"priority\"", doc: "the column with priorities" },
        Parameter {
            name: "deadline_us",
            default: "\"deadline_us\"",
            doc: "the column with the microseconds from arrival to deadline",
        },
    ],
    read: |table| {
        Ok(Box::new(Recorded { keys: parse_parameters(table)?, points: Arc::new([]), left_out: Vec::new() }))
    },
};

#[derive(Debug)]
struct Recorded {
    keys: TraceKeys,
    points: Arc<[Point]>,
    left_out: Vec<String>,
}

impl Law for Recorded {
    fn bind(&mut self, binding: &Binding) -> Result<(), InputError> {
        self.keys.file = binding.folder.join(&self.keys.file);
        let (mut trace, mut points, mut others) = (Rows::open(&self.keys)?, Vec::new(), BTreeSet::new());
        let mut names_tenants = None;
        while points.len() <= MAX_REQUESTS
            && let Some(row) = trace.advance()?
        {
            let names_one = trace.labels.tenant(&row).is_some();
            if *names_tenants.get_or_insert(names_one) != names_one {
                let message = "some rows name a tenant and others none: name one in each row, or in no row";
                return Err(trace.labels.error(&row, message));
            }
            match trace.labels.tenant(&row).filter(|tenant| *tenant != binding.tenant) {
                Some(other) if !others.contains(other) => {
                    others.insert(other.to_string());
                }
                Some(_) => {}
                None => points.push(point(&trace, &row, binding)?),
            }
        }
        if points.is_empty() {
            let others = others.into_iter().collect::<Vec<_>>().join(", ");
            let message = format!("no request of tenant `{}`; there are: {others}", binding.tenant);
            return Err(InputError::file(&self.keys.file, message));
        }
        self.points = points.into();
        self.left_out = trace.left_out;
        Ok(())
    }

    fn start(&self, _: &Setting) -> Box<dyn Process> {
        Box::new(Left { points: Arc::clone(&self.points), next: 0 })
    }

    fn total(&self) -> Option<usize> {
        Some(self.points.len())
    }

    fn file(&self) -> Option<&Path> {
        Some(&self.keys.file)
    }

    fn left_out(&self) -> &[String] {
        &self.left_out
    }
}

/// A row that the tenant sends.
fn point(trace: &Rows, row: &Row, binding: &Binding) -> Result<Point, InputError> {
    let at = Point { priority: row.priority, within: row.within, ..Point::at(row.time) };
    let Some(label) = trace.labels.network(row) else { return Ok(at) };
    match binding.networks.iter().find(|(known, _)| known == label) {
        Some(&(_, network)) => Ok(Point { network: Some(network), ..at }),
        None => {
            let tenant = binding.tenant;
            let message = format!(
                "tenant `{tenant}` does not run `{label}`: give it the network, or another name in `map`"
            );
            Err(trace.labels.error(row, message))
        }
    }
}

struct Left {
    points: Arc<[Point]>,
    next: usize,
}

impl Process for Left {
    fn next(&mut self, _: &mut Draws) -> Option<Point> {
        let point = *self.points.get(self.next)?;
        self.next += 1;
        Some(point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng;
    use crate::units::Time;
    use crate::workload::arrivals::Arrivals;
    use crate::workload::draw::Draw;
    use crate::workload::tenant::Weighted;

    /// The requests that a file gives to tenant `camera`, which runs networks 4 (`a`) and 7 (`b@2`).
    fn points(text: &str, keys: &str) -> Result<Vec<Point>, InputError> {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        std::fs::write(folder.path().join("t.csv"), text).expect("the folder is ours");
        let table = format!("kind = 'trace'\nfile = 't.csv'\n{keys}").parse().expect("valid TOML");
        let mut arrivals = Arrivals::read(&table).expect("valid keys");
        let networks = [("a".to_string(), 4), ("b@2".to_string(), 7)];
        arrivals.bind(&Binding { folder: folder.path(), tenant: "camera", networks: &networks })?;
        let mut process = arrivals.start(&Setting { rate_per_s: 0.0, isolated: &[] });
        let mix = [Weighted { value: 4, weight: 1.0 }];
        let stream = || rng::stream(1, "test", "camera");
        let mut draws = Draws { rng: stream(), networks: Draw::new(&mix, stream()) };
        let points: Vec<Point> = std::iter::from_fn(|| process.next(&mut draws)).collect();
        assert_eq!(arrivals.total(), Some(points.len()));
        Ok(points)
    }

    #[test]
    fn rows_with_and_without_a_tenant_are_an_error_at_the_first_that_differs() {
        for (text, line) in [("t_s,tenant\n0,camera\n1,\n", 3), ("t_s,tenant\n0,NaN\n1,NaN\n2,other\n", 4)] {
            let error = points(text, "").unwrap_err();
            assert_eq!(error.line, Some(line), "{error}");
            assert!(error.to_string().contains("some rows name a tenant and others none"), "{error}");
        }
        assert_eq!(points("t_s,tenant\n0,NaN\n1,\n", "").unwrap().len(), 2);
    }

    #[test]
    fn a_file_without_names_is_all_the_tenants() {
        let expected = [1, 2].map(|s| Point::at(Time::from_s(f64::from(s))));
        assert_eq!(points("t_s\n2\n4\n", "speedup = 2").unwrap(), expected);
    }

    #[test]
    fn a_file_with_names_is_read_for_this_tenant_and_its_networks() {
        let text = "t_s,tenant,network\n1,cam,x\n2,other,zzz\n3,cam,a\n";
        let found = points(text, "map = { cam = 'camera', x = 'b@2' }").unwrap();
        assert_eq!(found.iter().map(|point| point.network).collect::<Vec<_>>(), [Some(7), Some(4)]);
        let error = points(text, "map = { cam = 'camera' }").unwrap_err();
        assert_eq!(error.line, Some(2));
        assert!(error.to_string().contains("does not run `x`"), "{error}");
        let error = points(text, "").unwrap_err();
        assert!(error.to_string().contains("there are: cam, other"), "{error}");
    }
}
