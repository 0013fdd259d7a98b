//! Requests by given shares, as even as they can be.

/// Of those with a share, the one whose count is most behind it: the smallest (count + 1) / share, of equals the first.
pub(super) fn most_behind(shares: &[(usize, f64)], count: impl Fn(usize) -> u64) -> Option<usize> {
    let behind = |&(of, share): &(usize, f64)| (count(of) + 1) as f64 / share;
    let with = shares.iter().filter(|(_, share)| *share > 0.0);
    with.min_by(|a, b| behind(a).total_cmp(&behind(b))).map(|&(of, _)| of)
}
