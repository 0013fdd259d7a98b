//! Renamed words of users' files: an error about an old word names the new one. Old words are not accepted, so that
//! everything has one name.

use std::path::Path;

/// The first version with the new names.
const SINCE: &str = "0.2";

/// Every old word with its replacement: names of systems, schedulers, policies, columns and files, then keys of
/// `[training]`.
pub const RENAMED: &[(&str, &str)] = &[
    ("relmas-4", "hetero-4"),
    ("relmas-6", "hetero-6"),
    ("relmas-8", "hetero-8"),
    ("mascot", "learned_gate"),
    ("mascot-2", "learned_gate-2"),
    ("mascot-relmas-4", "evolved-hetero-4"),
    ("mascot-relmas-6", "evolved-hetero-6"),
    ("mascot-relmas-8", "evolved-hetero-8"),
    ("relmas-relmas-6", "relmas-hetero-6"),
    ("stretch_mean", "slowdown_mean"),
    ("relmas.toml", "grid135.toml"),
    ("relmas-headline.toml", "headline.toml"),
    ("train-relmas-4.toml", "train-learned_gate.toml"),
    ("train-relmas-6.toml", "train-hetero-6.toml"),
    ("train-relmas-8.toml", "train-learned_gate.toml"),
    ("train-relmas-6-ddpg.toml", "train-hetero-6-relmas.toml"),
    ("relmas.csv", "grid135.csv"),
    ("relmas-cells.csv", "grid135-cells.csv"),
    ("discount", "gamma"),
    ("actor_rate", "actor_learning_rate"),
    ("critic_rate", "critic_learning_rate"),
    ("longest_gradient", "max_grad_norm"),
    ("follow", "tau"),
    ("batch", "batch_size"),
    ("memory", "buffer_size"),
    ("warm_up", "learning_starts"),
    ("noise", "exploration_noise"),
    ("noise_decay", "exploration_noise_decay"),
    ("episodes", "num_envs"),
    ("steps", "num_steps"),
    ("rate", "learning_rate"),
    ("last_rate", "final_learning_rate"),
];

/// A hint that names the present or the earlier name of an unknown word, if that is among the known words.
pub(super) fn hint<W: AsRef<str>>(unknown: &str, known: &[W]) -> Option<String> {
    let is_known = |word: &str| known.iter().any(|known| known.as_ref() == word);
    RENAMED.iter().find_map(|&(old, new)| match unknown {
        _ if unknown == old && is_known(new) => Some(format!(" (it is called `{new}` since {SINCE})")),
        _ if unknown == new && is_known(old) => Some(format!(" (it was called `{old}` before {SINCE})")),
        _ => None,
    })
}

/// Like [`hint`], for a file that does not exist, if the file of the new name does; else empty.
pub(super) fn hint_of_file(path: &Path) -> String {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let new_name = RENAMED.iter().find_map(|&(old, new)| match old {
        _ if old == name => Some(new.to_string()),
        _ if old == stem => Some(format!("{new}.{extension}")),
        _ => None,
    });
    let new_path = new_name.map(|name| path.with_file_name(name)).filter(|path| path.is_file());
    new_path.map_or(String::new(), |path| format!(" (it is called `{}` since {SINCE})", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_name_leads_to_the_one_that_is_known() {
        for (old, new) in RENAMED {
            assert_eq!(hint(old, &["fcfs", new]), Some(format!(" (it is called `{new}` since 0.2)")));
            assert_eq!(hint(new, &["fcfs", old]), Some(format!(" (it was called `{old}` before 0.2)")));
            assert_eq!(hint(old, &["fcfs"]), None, "what is not known is no help");
        }
    }

    #[test]
    fn no_name_is_both_old_and_new() {
        for (old, _) in RENAMED {
            assert!(RENAMED.iter().all(|(_, new)| new != old), "{old}");
            assert_eq!(RENAMED.iter().filter(|(other, _)| other == old).count(), 1, "{old}");
        }
    }

    #[test]
    fn files_are_found_by_their_whole_name_or_without_its_extension() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let hint = |path: &str| hint_of_file(&root.join(path));
        assert!(hint("experiments/relmas.toml").ends_with("experiments/grid135.toml` since 0.2)"));
        assert!(
            hint("policies/mascot-relmas-6.toml").ends_with("policies/evolved-hetero-6.toml` since 0.2)")
        );
        assert_eq!((hint("experiments/relmas-6.toml"), hint("relmas")), (String::new(), String::new()));
    }
}
