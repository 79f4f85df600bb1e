//! Pages of a listing.

use serde_json::value::RawValue;
use std::ops::Deref;
use std::sync::OnceLock;

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

/// A page that all who ask for it share while nothing has changed, with what the first of them wrote of it.
#[derive(Debug)]
pub struct SharedPage<T> {
    page: Page<T>,
    written: OnceLock<Box<RawValue>>,
}

impl<T> SharedPage<T> {
    /// A page nothing was written of yet.
    pub(crate) fn new(page: Page<T>) -> Self {
        Self {
            page,
            written: OnceLock::new(),
        }
    }

    /// The page as `write` writes it, who always writes the same of one page: it is asked once.
    ///
    /// # Errors
    /// Those of `write`.
    pub fn written(
        &self,
        write: impl FnOnce(&Page<T>) -> serde_json::Result<Box<RawValue>>,
    ) -> serde_json::Result<&RawValue> {
        if let Some(written) = self.written.get() {
            return Ok(written);
        }
        let written = write(&self.page)?;
        // Whoever was faster wrote the same.
        Ok(self.written.get_or_init(|| written))
    }
}

impl<T> Deref for SharedPage<T> {
    type Target = Page<T>;

    fn deref(&self) -> &Page<T> {
        &self.page
    }
}
