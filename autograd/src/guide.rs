//! The guide: how it works inside.

#[doc = include_str!("guide/architecture.md")]
pub mod architecture {}

#[doc = include_str!("guide/adding_an_op.md")]
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
    /// What the guide shows as source is source.
    #[test]
    fn the_worked_example_is_the_code_of_the_operation() {
        let guide = include_str!("guide/adding_an_op.md");
        let shown: Vec<&str> = guide.split("```").filter_map(|part| part.strip_prefix("rust,ignore\n")).collect();
        let [block, registry] = shown[..] else { panic!("the guide shows a block and a registry line") };
        assert!(include_str!("op/activation.rs").contains(block), "the block differs from the source");
        let line = registry.lines().find(|line| line.contains("Softsign")).expect("a line for the example");
        assert!(include_str!("op.rs").lines().any(|own| own == line), "the registry has another line");
    }
}
