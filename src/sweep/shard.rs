//! Several processes on one sweep, also on machines that only share a file system: `mascot run --shard I/N`.
//!
//! Every process runs its share of the cells, and then whatever others have not finished. Cells are kept under
//! identifiers of their content, and files appear whole, so that it does no harm if two processes run the same cell: both
//! write the same bytes. [Claims] keep them from wasting that time. Those of its own share a process does not respect: there
//! is one process at a time for a share, so that a task that was killed and starts again goes on at once.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::cell::Failure;
use super::claims::{Claims, with_beats};
use super::resume::{Clock, Sweep};
use super::store::Store;
use crate::experiment::{Error, Progress};

/// A share of a sweep: one of several that are equal up to a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 1 on.
    number: usize,
    of: usize,
}

impl Shard {
    /// Whether it has the cell with this index.
    fn has(self, place: usize) -> bool {
        place % self.of == self.number - 1
    }

    /// The cells of others, those of the next share first, so that processes do not all go for the same.
    fn others(self, places: &[usize]) -> Vec<usize> {
        let mut others: Vec<usize> = places.iter().copied().filter(|&place| !self.has(place)).collect();
        others.sort_by_key(|place| (place % self.of + self.of - self.number) % self.of);
        others
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts =
            text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Self { number, of }),
            _ => Err("expected I/N, the share I of N, such as 1/8, with 1 <= I <= N".into()),
        }
    }
}

/// What a process did for a sweep.
#[derive(Debug)]
pub struct Shared {
    /// The cells that failed.
    pub failures: Vec<Failure>,
    /// How many cells it ran.
    pub run: usize,
    /// How many cells are at work elsewhere.
    pub elsewhere: usize,
}

impl Sweep<'_> {
    /// Runs the cells of a share that are not kept, and then those that others have left, on the current rayon pool.
    ///
    /// # Errors
    /// A cell or a claim cannot be written.
    pub fn run_shard(
        &self,
        shard: Shard,
        missing: &[usize],
        store: &Store,
        progress: &dyn Progress,
        clock: Clock,
    ) -> Result<Shared, Error> {
        let claims = Claims::new(store.folder(), &shard.to_string());
        let own: Vec<usize> = missing.iter().copied().filter(|&place| shard.has(place)).collect();
        progress.begin("running cells", missing.len());
        let (seen, elsewhere, run) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let one = |&place: &usize| -> Result<Option<Failure>, Error> {
            progress.advance(seen.fetch_add(1, Ordering::Relaxed) + 1);
            let id = &self.ids[place];
            if store.load(id).is_some() {
                return Ok(None);
            }
            if !claims.claim(id)? {
                elsewhere.fetch_add(1, Ordering::Relaxed);
                return Ok(None);
            }
            // Another process may have finished it meanwhile.
            let failure = match store.load(id) {
                Some(_) => Ok(None),
                None => {
                    run.fetch_add(1, Ordering::Relaxed);
                    self.run_and_keep(place, store, clock)
                }
            };
            claims.release(id);
            failure
        };
        let all = |places: &[usize]| places.par_iter().map(one).collect::<Result<Vec<_>, Error>>();
        let failures = with_beats(&claims, || Ok::<_, Error>([all(&own)?, all(&shard.others(missing))?]))?;
        let failures = failures.into_iter().flatten().flatten().collect();
        Ok(Shared { failures, run: run.into_inner(), elsewhere: elsewhere.into_inner() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(text: &str) -> Shard {
        text.parse().expect("it is one")
    }

    #[test]
    fn shares_divide_the_cells() {
        let places: Vec<usize> = (0..10).collect();
        let own =
            |text: &str| -> Vec<usize> { places.iter().copied().filter(|&at| shard(text).has(at)).collect() };
        assert_eq!([own("1/3"), own("2/3"), own("3/3")], [vec![0, 3, 6, 9], vec![1, 4, 7], vec![2, 5, 8]]);
        assert_eq!(shard("2/3").others(&places), [2, 5, 8, 0, 3, 6, 9]);
        assert_eq!(shard("1/1").others(&places), Vec::<usize>::new());
        for wrong in ["0/3", "4/3", "1", "1/0", "a/b", "-1/2", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
