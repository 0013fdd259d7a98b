//! The linear program of a stretch of the trace, solved for the prices of its capacity rows.

use std::ops::Range;

use clarabel::algebra::CscMatrix;
use clarabel::solver::{
    DefaultSettings, DefaultSolver, IPSolver,
    SupportedConeT::{self, NonnegativeConeT, ZeroConeT},
};

use super::cells::Cells;
use super::prices::Found;
use super::{Relaxation, Wish};

/// Prices close to the optimum for the requests in `seen`; empty if the solver fails.
pub(super) fn prices(relaxation: &Relaxation, cells: &Cells, seen: Range<usize>) -> Vec<Found> {
    let wishes = &relaxation.wishes[seen];
    if wishes.is_empty() {
        return Vec::new();
    }
    let enough_ps: f64 = wishes.iter().map(|wish| relaxation.kinds[wish.kind].most_ps()).sum();
    let unit_ps = enough_ps / wishes.len() as f64;
    let first = wishes.iter().map(|wish| cells.touched(wish).start).min().expect("some request");
    let after = wishes.iter().map(|wish| cells.touched(wish).end).max().expect("some request");
    let places: Vec<(usize, usize)> = (first..after)
        .flat_map(|cell| (0..relaxation.resources()).map(move |resource| (cell, resource)))
        .collect();
    let capacity_ps =
        |&(cell, resource): &(usize, usize)| relaxation.capacity(resource) * cells.length_ps(cell);
    // Time has no price where there is enough of it for everything, as with far deadlines.
    let rows: Vec<usize> = (0..places.len()).filter(|&i| capacity_ps(&places[i]) < enough_ps).collect();
    let mut program = Program {
        at_most: rows.iter().map(|&i| capacity_ps(&places[i]) / unit_ps).collect(),
        ..Program::default()
    };
    let row = |cell: usize, resource: usize| {
        rows.binary_search(&((cell - first) * relaxation.resources() + resource)).ok()
    };
    wishes.iter().for_each(|wish| program.add(relaxation, cells, wish, unit_ps, row));
    let found = |(&i, dual): (&usize, f64)| {
        let (cell, resource) = places[i];
        Found { cell, resource, per_ps: dual / unit_ps }
    };
    rows.iter().zip(program.capacity_duals()).map(found).collect()
}

/// A linear program: sparse rows of two kinds, equal to 0 and at most a number, over non-negative variables.
#[derive(Default)]
struct Program {
    variables: usize,
    /// (row, variable, coefficient)
    equal: Vec<(usize, usize, f64)>,
    equal_rows: usize,
    less: Vec<(usize, usize, f64)>,
    at_most: Vec<f64>,
    /// The variables to maximise, each at most 1.
    accepted: Vec<usize>,
}

impl Program {
    fn variable(&mut self) -> usize {
        self.variables += 1;
        self.variables - 1
    }

    fn equal_row(&mut self, entries: impl IntoIterator<Item = (usize, f64)>) {
        let row = self.equal_rows;
        self.equal.extend(entries.into_iter().map(|(variable, factor)| (row, variable, factor)));
        self.equal_rows += 1;
    }

    /// Adds the variables and rows of a request; `row` gives the capacity row of a (cell, resource), if it is scarce.
    fn add(
        &mut self,
        relaxation: &Relaxation,
        cells: &Cells,
        wish: &Wish,
        unit_ps: f64,
        row: impl Fn(usize, usize) -> Option<usize>,
    ) {
        let accepted = self.variable();
        self.accepted.push(accepted);
        let resources = relaxation.resources();
        let mut work: Vec<Vec<(usize, f64)>> = vec![Vec::new(); resources];
        for choices in &relaxation.kinds[wish.kind].layers {
            let split: Vec<usize> = choices.iter().map(|_| self.variable()).collect();
            for (&fraction, choice) in split.iter().zip(choices) {
                work[choice.model].push((fraction, choice.busy_ps / unit_ps));
                work[resources - 1].push((fraction, choice.dram_ps / unit_ps));
            }
            self.equal_row(split.into_iter().map(|fraction| (fraction, 1.0)).chain([(accepted, -1.0)]));
        }
        for (resource, mut work) in work.into_iter().enumerate() {
            work.retain(|&(_, time)| time > 0.0);
            let rows: Option<Vec<usize>> = cells.touched(wish).map(|cell| row(cell, resource)).collect();
            let Some(rows) = rows.filter(|_| !work.is_empty()) else { continue };
            for row in rows {
                let busy = self.variable();
                work.push((busy, -1.0));
                self.less.push((row, busy, 1.0));
            }
            self.equal_row(work);
        }
    }

    /// The duals of the capacity rows: what one more unit of each is worth.
    fn capacity_duals(self) -> Vec<f64> {
        let Self { variables, equal, equal_rows, less, at_most, accepted } = self;
        let capacities = at_most.len();
        let below = equal_rows + capacities;
        let at_most_one = accepted.iter().enumerate().map(|(i, &x)| (below + i, x, 1.0));
        let positive = (0..variables).map(|x| (below + accepted.len() + x, x, -1.0));
        let rows = below + accepted.len() + variables;
        let less = less.into_iter().map(|(row, variable, factor)| (equal_rows + row, variable, factor));
        let entries: Vec<_> = equal.into_iter().chain(less).chain(at_most_one).chain(positive).collect();
        let matrix = CscMatrix::new_from_triplets(
            rows,
            variables,
            entries.iter().map(|entry| entry.0).collect(),
            entries.iter().map(|entry| entry.1).collect(),
            entries.iter().map(|entry| entry.2).collect(),
        );
        let mut limits = vec![0.0; equal_rows];
        limits.extend(at_most);
        limits.resize(below + accepted.len(), 1.0);
        limits.resize(rows, 0.0);
        let mut worth = vec![0.0; variables];
        accepted.iter().for_each(|&x| worth[x] = -1.0);
        let cones = [ZeroConeT(equal_rows), NonnegativeConeT(rows - equal_rows)];
        let duals = solve(&worth, &matrix, &limits, &cones);
        duals.map_or(Vec::new(), |duals| duals[equal_rows..below].to_vec())
    }
}

/// Solves the program and returns the dual solution, even if the solver stopped before it reached its tolerance.
fn solve(
    costs: &[f64],
    matrix: &CscMatrix<f64>,
    limits: &[f64],
    cones: &[SupportedConeT<f64>],
) -> Option<Vec<f64>> {
    let settings = DefaultSettings {
        verbose: false,
        // A ten-thousandth of a request is negligible beside the rounding to whole requests.
        tol_gap_abs: 1e-4,
        tol_gap_rel: 1e-7,
        ..DefaultSettings::default()
    };
    let no_square = CscMatrix::zeros((costs.len(), costs.len()));
    let mut solver = DefaultSolver::new(&no_square, costs, matrix, limits, cones, settings).ok()?;
    solver.solve();
    Some(solver.solution.z.clone())
}
