//! Choices drawn from bytes, so that a failing case shrinks with them: without bytes left, the first choice is taken.

/// A source of choices.
#[derive(Debug)]
pub(crate) struct Bytes<'a> {
    left: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Bytes<'a> {
        Bytes { left: bytes }
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let mut number = self.byte();
        if end > 256 {
            number = number * 256 + self.byte();
        }
        number % end.max(1)
    }

    /// One of them.
    pub(crate) fn one_of<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// Once in so many times.
    pub(crate) fn rarely(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    fn byte(&mut self) -> usize {
        let (first, left) = self.left.split_first().unwrap_or((&0, &[]));
        self.left = left;
        usize::from(*first)
    }
}
