//! The order of windows, the lowest first.

/// Dialogs of dialogs that are kept together; what is beyond stands for itself.
const MAX_FAMILY: usize = 32;

/// The order after a window was raised: with the windows it belongs to beneath it and its own dialogs above it.
/// `owner` tells which window one belongs to.
pub fn raised(order: &[u32], owner: impl Fn(u32) -> Option<u32>, window: u32) -> Vec<u32> {
    let owners = |of: u32| -> Vec<u32> {
        std::iter::successors(owner(of), |of| owner(*of))
            .take(MAX_FAMILY)
            .collect()
    };
    let root = owners(window).last().copied().unwrap_or(window);
    let within = |of: u32, family: u32| of == family || owners(of).contains(&family);
    let mut order = order.to_vec();
    // Stable: what belongs together keeps its order.
    order.sort_by_key(|of| (within(*of, root), within(*of, window)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 12 is a dialog of 1, and 123 one of 12; 21 is one of 2.
    fn owner(of: u32) -> Option<u32> {
        (of > 9).then_some(of / 10)
    }

    #[test]
    fn a_window_comes_with_its_dialogs_above_it() {
        assert_eq!(raised(&[1, 12, 123, 2, 21], owner, 1), [2, 21, 1, 12, 123]);
    }

    #[test]
    fn a_dialog_brings_the_windows_it_belongs_to() {
        assert_eq!(raised(&[1, 13, 12, 123, 2], owner, 12), [2, 1, 13, 12, 123]);
    }

    #[test]
    fn windows_that_belong_to_each_other_end_nothing() {
        let each_other = |of| Some(3 - of);
        assert_eq!(raised(&[1, 2], each_other, 1).len(), 2);
    }
}
