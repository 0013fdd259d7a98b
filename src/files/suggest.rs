//! "did you mean": the known word that is closest to an unknown one. Every message about an unknown key, word or name
//! takes its suggestion from here.

use strsim::damerau_levenshtein;

use super::renamed;

/// The most candidates that a message names. Our choice, because more would not help.
const MAX_CANDIDATES: usize = 3;

/// The text ` (did you mean `x`?)`, to be put right after the unknown word, or a hint with the present name of a
/// renamed word; empty if no known word is close.
pub fn did_you_mean<W: AsRef<str>>(unknown: &str, known: impl IntoIterator<Item = W>) -> String {
    // A number is never a misspelling of another one.
    if unknown.parse::<f64>().is_ok() {
        return String::new();
    }
    let known: Vec<W> = known.into_iter().collect();
    if let Some(hint) = renamed::hint(unknown, &known) {
        return hint;
    }
    let near = nearest(unknown, &known);
    match &near[..] {
        [] => String::new(),
        [one] => format!(" (did you mean `{one}`?)"),
        [first @ .., last] => format!(" (did you mean `{}` or `{last}`?)", first.join("`, `")),
    }
}

/// Adds [`did_you_mean`] to a message of serde about an unknown key or word. The known words are found only in the
/// message's text.
pub fn with_suggestion(message: &str) -> String {
    let unknown =
        ["unknown field `", "unknown variant `"].iter().find_map(|start| message.strip_prefix(start));
    let Some((unknown, expected)) = unknown.and_then(|rest| rest.split_once('`')) else {
        return message.to_string();
    };
    let hint = did_you_mean(unknown, expected.split('`').skip(1).step_by(2));
    format!("{}{hint}{expected}", &message[..message.len() - expected.len()])
}

/// The words with the fewest mistyped letters; otherwise those of which the unknown word is a part, as when the unit is
/// forgotten.
fn nearest<'a, W: AsRef<str>>(unknown: &str, known: &'a [W]) -> Vec<&'a str> {
    let unknown = unknown.to_lowercase();
    let distance = |word: &str| damerau_levenshtein(&unknown, &word.to_lowercase());
    // As in rustc, a word of which more than a third is mistyped counts as another word.
    let allowed = |word: &str| unknown.chars().count().max(word.chars().count()) / 3;
    let typed = |&word: &&'a str| distance(word) <= allowed(word);
    let words = || known.iter().map(AsRef::as_ref);
    let best = words().filter(typed).map(distance).min();
    let is_part = |word: &str| {
        let border = |c: char| c == '_' || c == '-';
        let starts = word.strip_prefix(&unknown).is_some_and(|rest| rest.starts_with(border));
        starts || word.strip_suffix(&unknown).is_some_and(|rest| rest.ends_with(border))
    };
    let mut near: Vec<&str> = match best {
        Some(best) => words().filter(|word| distance(word) == best).collect(),
        None => words().filter(|word| is_part(word)).collect(),
    };
    near.truncate(MAX_CANDIDATES);
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 6] =
        ["loads", "scenarios", "period_us", "dram_bandwidth_gbps", "hetero-4", "hetero-6"];

    #[test]
    fn a_mistyped_word_is_found() {
        assert_eq!(did_you_mean("load", KEYS), " (did you mean `loads`?)");
        assert_eq!(did_you_mean("scneario", KEYS), " (did you mean `scenarios`?)");
        assert_eq!(did_you_mean("Loads", KEYS), " (did you mean `loads`?)");
        assert_eq!(did_you_mean("hetero-7", KEYS), " (did you mean `hetero-4` or `hetero-6`?)");
    }

    #[test]
    fn what_has_a_new_name_is_told_it() {
        assert_eq!(
            did_you_mean("warm_up", ["learning_starts"]),
            " (it is called `learning_starts` since 0.2)"
        );
        assert_eq!(did_you_mean("warm_up", ["warmup_s"]), "");
    }

    #[test]
    fn a_forgotten_unit_is_found() {
        assert_eq!(did_you_mean("period", KEYS), " (did you mean `period_us`?)");
        assert_eq!(did_you_mean("bandwidth_gbps", KEYS), " (did you mean `dram_bandwidth_gbps`?)");
    }

    #[test]
    fn another_word_is_no_suggestion() {
        assert_eq!(did_you_mean("first_come", KEYS), "");
        assert_eq!(did_you_mean("", KEYS), "");
        assert_eq!(did_you_mean("load", [""; 0]), "");
        assert_eq!(did_you_mean("Q", ["N", "K"]), "");
        assert_eq!(did_you_mean("0.7", ["0.6", "0.9"]), "");
    }

    #[test]
    fn messages_of_serde_keep_what_is_allowed() {
        assert_eq!(
            with_suggestion("unknown variant `max_mim`, expected `max_min` or `fifo`"),
            "unknown variant `max_mim` (did you mean `max_min`?), expected `max_min` or `fifo`"
        );
        for other in ["unknown field `x`, there are no fields", "missing field `loads`"] {
            assert_eq!(with_suggestion(other), other);
        }
    }
}
