//! Pages of lists that are in memory.

use super::fields::{PageNumber, PageSize};

/// The items of one page; none when it lies past the end.
pub fn page_of<T>(items: Vec<T>, number: PageNumber, size: PageSize) -> impl Iterator<Item = T> {
    let size = size.as_u32() as usize;
    let skipped = (number.as_u32() as usize - 1).saturating_mul(size);
    items.into_iter().skip(skipped).take(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_holds_the_rest_and_the_one_after_it_nothing() {
        let page = |number| {
            page_of(vec![1, 2, 3], PageNumber::of(number), PageSize::of(2)).collect::<Vec<_>>()
        };
        assert_eq!(page(1), [1, 2]);
        assert_eq!(page(2), [3]);
        assert!(page(3).is_empty());
        assert!(page(i64::from(i32::MAX)).is_empty());
    }
}
