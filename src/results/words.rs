//! Columns in words, for the axes of pictures and the headings of tables.

/// The units at the ends of names, and how they are written.
const UNITS: [(&str, &str); 9] = [
    ("_us", "us"),
    ("_ms", "ms"),
    ("_uj", "uJ"),
    ("_uj_us", "uJ us"),
    ("_gbps", "GB/s"),
    ("_mb", "MB"),
    ("_bytes", "bytes"),
    ("_percent", "%"),
    ("_ci95", "95 % interval"),
];

/// Words that are names or abbreviations.
const NAMES: [&str; 11] = ["SLA", "DRAM", "ANTT", "STP", "EDP", "QoS", "MAC", "p50", "p90", "p95", "p99"];

/// A column in words, with its unit behind a comma: "DRAM bandwidth, GB/s" of `dram_bandwidth_gbps`.
pub fn quantity(column: &str) -> String {
    if column == "load" {
        return "load, relative to lambda*".into();
    }
    let unit = UNITS.iter().filter(|(end, _)| column.ends_with(end)).max_by_key(|(end, _)| end.len());
    let (stem, unit) =
        unit.map_or((column, None), |(end, unit)| (&column[..column.len() - end.len()], Some(unit)));
    let word = |word: &str| {
        let name = NAMES.iter().find(|name| name.eq_ignore_ascii_case(word));
        name.map_or(word, |name| name).to_string()
    };
    let words: Vec<String> = stem.split('_').map(word).collect();
    match unit {
        Some(unit) => format!("{}, {unit}", words.join(" ")),
        None => words.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::quantity;

    #[test]
    fn a_name_becomes_words_and_a_unit() {
        for (column, words) in [
            ("dram_bandwidth_gbps", "DRAM bandwidth, GB/s"),
            ("sla_rate", "SLA rate"),
            ("latency_p99_us", "latency p99, us"),
            ("energy_per_met_request_uj", "energy per met request, uJ"),
            ("deadline_factor", "deadline factor"),
            ("load", "load, relative to lambda*"),
            ("antt", "ANTT"),
        ] {
            assert_eq!(quantity(column), words);
        }
    }
}
