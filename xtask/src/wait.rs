//! Waits for conditions, with a limit; nothing here waits for a duration to pass.

use std::time::{Duration, Instant};

use crate::failure::Result;

/// How long to leave things alone between two looks.
pub const BETWEEN: Duration = Duration::from_millis(50);

/// Looks until `look` finds something, at most for `limit`; `None` when it never did.
pub fn until<T>(limit: Duration, look: impl FnMut() -> Result<Option<T>>) -> Result<Option<T>> {
    until_looking(BETWEEN, limit, look)
}

/// The same, looking this often: for those who measure when it happens.
pub fn until_looking<T>(
    every: Duration,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        std::thread::sleep(every);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_becomes_true_is_found_and_what_does_not_is_given_up() {
        let mut looks = 0;
        let third = until(Duration::from_secs(10), || {
            looks += 1;
            Ok((looks == 3).then_some(looks))
        });
        assert_eq!(third.unwrap(), Some(3));
        assert_eq!(until(Duration::ZERO, || Ok(None::<()>)).unwrap(), None);
    }
}
