//! Values that remember where they are written, for what is said about them later.

use std::ops::Deref;

use model::{SourceId, Span};

/// A place in a file.
pub type Place = (SourceId, Span);

/// A value and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    pub value: T,
    pub at: Place,
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
