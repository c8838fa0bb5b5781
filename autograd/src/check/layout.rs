//! Which element of which input a place in a flat list of numbers is.

use core::ops::Range;

use super::report::Element;

/// Named inputs, one after the other in a list of numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    blocks: Vec<Block>,
}

#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) name: String,
    pub(crate) shape: [usize; 2],
    /// Whether elements are named by one index.
    pub(crate) flat: bool,
    pub(crate) range: Range<usize>,
}

impl Layout {
    /// One list: `x[3]`.
    pub(crate) fn list(name: &str, length: usize) -> Self {
        let block = Block { name: name.to_owned(), shape: [length, 1], flat: true, range: 0..length };
        Self { blocks: vec![block] }
    }

    /// Matrices: `w[2,1]`.
    pub(crate) fn matrices<'a>(shapes: impl IntoIterator<Item = (&'a str, [usize; 2])>) -> Self {
        let mut layout = Self::default();
        let mut start = 0;
        for (name, shape) in shapes {
            let end = start + shape[0] * shape[1];
            layout.blocks.push(Block { name: name.to_owned(), shape, flat: false, range: start..end });
            start = end;
        }
        layout
    }

    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    pub(crate) fn len(&self) -> usize {
        self.blocks.last().map_or(0, |block| block.range.end)
    }

    pub(crate) fn element(&self, k: usize) -> Element {
        let Some(block) = self.blocks.iter().find(|block| block.range.contains(&k)) else {
            return Element::new("?", &[k]);
        };
        let at = k - block.range.start;
        match (block.flat, block.shape[1]) {
            (true, _) => Element::new(&block.name, &[at]),
            (false, _) if block.shape == [1, 1] => Element::new(&block.name, &[]),
            (false, cols) => Element::new(&block.name, &[at / cols, at % cols]),
        }
    }
}
