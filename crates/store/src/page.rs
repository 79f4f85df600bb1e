//! Pages of a listing.

/// Which page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// From 1.
    pub number: u32,
    /// Rows of a full page.
    pub size: u32,
}

impl PageRequest {
    /// Rows that come before the page.
    pub(crate) fn skipped(self) -> i64 {
        (i64::from(self.number) - 1).max(0) * i64::from(self.size)
    }
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, fewer than asked for on the last page and none after it.
    pub items: Vec<T>,
    /// Rows of all pages.
    pub total: u64,
}
