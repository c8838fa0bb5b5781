//! The guide: how it works inside.

#[doc = include_str!("guide/architecture.md")]
pub mod architecture {}

#[doc = include_str!("guide/adding_an_op.md")]
#[doc = "\n## The whole of `softsign`\n\n````text"]
#[doc = include_str!("op/softsign.rs")]
#[doc = "````"]
pub mod adding_an_op {}

#[doc = include_str!("guide/conventions.md")]
pub mod conventions {}

#[doc = include_str!("guide/checking.md")]
pub mod checking {}

#[doc = include_str!("guide/checking_graphs.md")]
pub mod checking_graphs {}

#[doc = include_str!("guide/numerics.md")]
pub mod numerics {}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    const SRC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

    fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
        let here = files.into_iter().filter(|path| path.extension().is_some_and(|own| own == extension));
        here.chain(folders.iter().flat_map(|folder| self::files(folder, extension))).collect()
    }

    /// The block and the registry line are all that there is of an operation.
    #[test]
    fn adding_an_operation_touches_one_block_and_one_registry_line() {
        let mut outside = Vec::new();
        for path in files(Path::new(SRC), "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            let lines = text.lines().filter(|line| line.contains("Softsign") || line.contains(".softsign("));
            if !path.ends_with("op/softsign.rs") && !path.ends_with("guide.rs") {
                outside.extend(lines.map(|line| (path.strip_prefix(SRC).expect("below").to_owned(), line.to_owned())));
            }
        }
        assert_eq!(outside, [(PathBuf::from("op.rs"), "    Softsign: unary,".to_owned())]);
        assert!(
            include_str!("guide/adding_an_op.md").contains("\n```text\nSoftsign: unary,\n```\n"),
            "the guide shows another line"
        );
    }

    /// What the guide shows as Rust is compiled.
    #[test]
    fn no_code_of_the_guide_is_ignored() {
        for path in files(&Path::new(SRC).join("guide"), "md") {
            let text = fs::read_to_string(&path).expect("a chapter");
            let fences: Vec<&str> = text.lines().filter(|line| line.starts_with("```rust")).collect();
            assert!(fences.iter().all(|fence| *fence == "```rust"), "{}: {fences:?}", path.display());
        }
    }
}
