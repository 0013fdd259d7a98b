//! How far apart two places are, and how long light takes between them.

use super::Coordinates;
use crate::units::Time;

/// The mean radius of the earth (IUGG, R1).
const EARTH_RADIUS_KM: f64 = 6_371.0;

/// The distance along the great circle, by the haversine formula.
pub(super) fn great_circle_km(a: Coordinates, b: Coordinates) -> f64 {
    let haversine = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let [north_a, north_b] = [a, b].map(|place| place.latitude.to_radians().cos());
    let h = haversine(b.latitude - a.latitude) + north_a * north_b * haversine(b.longitude - a.longitude);
    // Rounding may leave 1 behind at opposite ends of the earth.
    2.0 * EARTH_RADIUS_KM * h.min(1.0).sqrt().asin()
}

/// The time for a distance, in whole nanoseconds, which are 20 cm of fibre: sine and cosine differ in their last digit
/// from one machine to another, and the simulated clock must not.
pub(super) fn delay(km: f64, km_per_ms: f64) -> Time {
    Time((km / km_per_ms * 1e6).round() as u64 * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64) -> Coordinates {
        Coordinates { latitude, longitude }
    }

    /// A quarter and half of the earth's circumference (2 pi 6371 = 40,030.17 km), and one degree of it.
    #[test]
    fn distances_are_those_of_a_sphere() {
        for (a, b, expected) in [
            (at(0.0, 0.0), at(0.0, 0.0), 0.0),
            (at(0.0, 0.0), at(90.0, 33.0), 10_007.543_398),
            (at(0.0, 0.0), at(0.0, 180.0), 20_015.086_796),
            (at(0.0, 10.0), at(0.0, 11.0), 111.194_927),
            (at(45.0, 179.5), at(45.0, -179.5), 78.626_185),
        ] {
            let km = great_circle_km(a, b);
            assert!((km - expected).abs() < 1e-5, "{km} for {expected}");
            assert_eq!(km, great_circle_km(b, a));
        }
    }

    #[test]
    fn light_in_fibre_takes_5_us_for_a_kilometre() {
        assert_eq!(delay(1.0, 200.0), Time::from_us(5.0));
        assert_eq!(delay(0.000_32, 200.0), Time(2_000));
    }
}
