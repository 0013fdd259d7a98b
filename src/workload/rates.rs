//! Arrival rates that change during a run (`[[drift]]` with `rate`): a tenant's own arrivals, with time stretched from each
//! change on. The draws stay the same, so that all requests up to the first change are those without it.
//!
//! At rate factor r, the time of the process runs r times as fast as that of the run: what would have come t after the change
//! comes t / r after it. So a Poisson process of rate lambda becomes one of r lambda, bursts become r times as short, and the
//! deadlines of frames, which follow from the next frame, come sooner.

use crate::units::Time;

/// The rates of all tenants over time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RateChanges {
    /// For each tenant, by number, the times of its changes with the factors from then on.
    tenants: Vec<Vec<(Time, f64)>>,
}

impl RateChanges {
    /// Sets the factor of a tenant's rate from a time on; times come in order. Panics if they do not, or if the factor is not
    /// positive.
    pub fn change(&mut self, tenant: usize, at: Time, factor: f64) {
        assert!(factor > 0.0 && factor.is_finite(), "a rate factor is positive: {factor}");
        self.tenants.resize(self.tenants.len().max(tenant + 1), Vec::new());
        let own = &mut self.tenants[tenant];
        assert!(own.last().is_none_or(|&(last, _)| last <= at), "changes come in the order of time");
        own.push((at, factor));
    }

    /// Whether no rate changes.
    pub fn is_empty(&self) -> bool {
        self.tenants.iter().all(Vec::is_empty)
    }

    /// The largest factor, at least 1.
    pub fn most(&self) -> f64 {
        self.tenants.iter().flatten().fold(1.0, |most, &(_, factor)| most.max(factor))
    }

    /// When a request of a tenant comes that its process has at a time.
    pub(super) fn of(&self, tenant: usize, time: Time) -> Time {
        let Some(own) = self.tenants.get(tenant) else { return time };
        // Of the present stretch: when it begins in the run and in the process, and its factor.
        let (mut begin, mut begin_of_process, mut rate) = (Time::ZERO, Time::ZERO, 1.0);
        for &(at, factor) in own {
            let change = begin_of_process + Time(((at - begin).as_ps() * rate).round() as u64);
            if time < change {
                break;
            }
            (begin, begin_of_process, rate) = (at, change, factor);
        }
        begin + Time(((time - begin_of_process).as_ps() / rate).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_stretched_from_each_change_on() {
        let mut rates = RateChanges::default();
        rates.change(1, Time(100), 2.0);
        rates.change(1, Time(150), 0.5);
        let times = [0, 99, 100, 120, 198, 200, 201, 210].map(|time| rates.of(1, Time(time)).0);
        // From 100 on twice as fast: the process is at 200 when the run is at 150; then at half its pace.
        assert_eq!(times, [0, 99, 100, 110, 149, 150, 152, 170]);
        assert_eq!(rates.of(0, Time(120)), Time(120));
        assert_eq!(rates.of(7, Time(120)), Time(120));
        assert_eq!(rates.most(), 2.0);
        assert!(!rates.is_empty() && RateChanges::default().is_empty());
    }
}
