//! How often a caller may call: a bucket of tokens for each account, and one for each of its operations.

use crate::fault::Fault;
use std::collections::HashMap;

/// Microseconds in a millisecond: the buckets count finer than the clock, for rates above 1000 a second.
const MICROS: i64 = 1000;

/// Accounts that are remembered before those are dropped whose buckets are full again, which is what an
/// account without any has.
const SWEEP_AT: usize = 1024;

/// A rate and how much of it may come at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Calls a second, over a long time.
    pub per_second: u32,
    /// Calls that may come at once after a pause; at least one may.
    pub burst: u32,
}

impl Rate {
    /// Microseconds that one call takes up.
    fn interval(self) -> i64 {
        (1000 * MICROS / i64::from(self.per_second.max(1))).max(1)
    }
}

/// When a bucket will be full again, in microseconds: all there is to know about one.
type FullAt = i64;

/// The buckets of one account.
#[derive(Default)]
struct Buckets {
    all: FullAt,
    by_operation: HashMap<&'static str, FullAt>,
}

/// What limits callers. `None` for a rate: no limit of that kind.
///
/// Memory is bounded by the accounts that called within the last moments: a bucket that is full again is
/// as good as none. Only verified callers come here, so nobody can make it grow with made-up names.
pub struct Throttle {
    account: Option<Rate>,
    operation: Option<Rate>,
    accounts: HashMap<String, Buckets>,
    sweep_at: usize,
}

impl Throttle {
    /// A throttle with one limit for all calls of an account and one for its calls of each operation.
    #[must_use]
    pub fn new(account: Option<Rate>, operation: Option<Rate>) -> Self {
        Self {
            account,
            operation,
            accounts: HashMap::new(),
            sweep_at: SWEEP_AT,
        }
    }

    /// Takes a token from both buckets, or none from either.
    ///
    /// # Errors
    /// `Throttling.Api` when this operation is called too often, else `Throttling.User` when the account
    /// calls too often; either says when the next call can be taken.
    pub fn admit(
        &mut self,
        account: &str,
        operation: &'static str,
        now_ms: i64,
    ) -> Result<(), Fault> {
        if self.account.is_none() && self.operation.is_none() {
            return Ok(());
        }
        let now = now_ms.saturating_mul(MICROS);
        if self.accounts.len() >= self.sweep_at {
            self.sweep(now);
        }
        if !self.accounts.contains_key(account) {
            self.accounts.insert(account.to_owned(), Buckets::default());
        }
        let Some(buckets) = self.accounts.get_mut(account) else {
            unreachable!("it was put there above");
        };
        let of_operation = buckets.by_operation.entry(operation).or_default();
        // The narrower limit speaks first: it tells the caller more.
        let operation = take(self.operation, of_operation, now).map_err(Fault::throttled_api)?;
        buckets.all = take(self.account, &mut buckets.all, now).map_err(Fault::throttled_user)?;
        *of_operation = operation;
        Ok(())
    }

    fn sweep(&mut self, now: i64) {
        self.accounts.retain(|_, buckets| {
            buckets.by_operation.retain(|_, full_at| *full_at > now);
            buckets.all > now || !buckets.by_operation.is_empty()
        });
        self.sweep_at = (2 * self.accounts.len()).max(SWEEP_AT);
    }
}

/// The bucket as it will be when one token is taken, or the milliseconds until there is one.
fn take(rate: Option<Rate>, full_at: &mut FullAt, now: i64) -> Result<FullAt, u64> {
    let Some(rate) = rate else {
        return Ok(*full_at);
    };
    let interval = rate.interval();
    let whole = interval.saturating_mul(i64::from(rate.burst.max(1)));
    // Never emptier than empty: a clock that was set back must not shut a caller out until it has caught up.
    *full_at = (*full_at).clamp(now, now.saturating_add(whole));
    let then = full_at.saturating_add(interval);
    let wait = then.saturating_sub(now.saturating_add(whole));
    if wait <= 0 {
        return Ok(then);
    }
    let ms = wait.unsigned_abs().div_ceil(MICROS.unsigned_abs());
    Err(ms.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Rate = Rate {
        per_second: 10,
        burst: 3,
    };

    fn throttle(account: Option<Rate>, operation: Option<Rate>) -> Throttle {
        Throttle::new(account, operation)
    }

    fn code(result: Result<(), Fault>) -> String {
        result.map_or_else(|fault| fault.code, |()| "admitted".into())
    }

    #[test]
    fn a_burst_is_taken_and_then_the_rate() {
        let mut throttle = throttle(Some(TEN), None);
        let now = 1_000_000;
        for _ in 0..3 {
            assert_eq!(code(throttle.admit("a", "Op", now)), "admitted");
        }
        let fault = throttle.admit("a", "Op", now).expect_err("empty");
        assert_eq!(
            (fault.code.as_str(), fault.retry_after_ms),
            ("Throttling.User", Some(100))
        );
        let fault = throttle.admit("a", "Op", now + 99).expect_err("still");
        assert_eq!(fault.retry_after_ms, Some(1));
        assert_eq!(code(throttle.admit("a", "Op", now + 100)), "admitted");
        assert_eq!(
            code(throttle.admit("a", "Op", now + 100)),
            "Throttling.User"
        );
    }

    #[test]
    fn over_a_minute_no_more_than_the_rate_gets_through_and_no_less() {
        let mut throttle = throttle(Some(TEN), None);
        let admitted = (0..60_000)
            .filter(|ms| throttle.admit("a", "Op", 5_000 + ms).is_ok())
            .count();
        assert_eq!(admitted, 3 + 599);
    }

    #[test]
    fn one_operation_of_one_account_limits_no_other() {
        let mut throttle = throttle(None, Some(TEN));
        for _ in 0..3 {
            assert_eq!(code(throttle.admit("a", "Op", 0)), "admitted");
        }
        assert_eq!(code(throttle.admit("a", "Op", 0)), "Throttling.Api");
        assert_eq!(code(throttle.admit("a", "Other", 0)), "admitted");
        assert_eq!(code(throttle.admit("b", "Op", 0)), "admitted");
    }

    #[test]
    fn a_refused_call_takes_nothing_from_either_bucket() {
        let wide = Rate {
            per_second: 10,
            burst: 5,
        };
        let mut throttle = throttle(Some(wide), Some(TEN));
        for _ in 0..3 {
            assert_eq!(code(throttle.admit("a", "Op", 0)), "admitted");
        }
        for _ in 0..10 {
            assert_eq!(code(throttle.admit("a", "Op", 0)), "Throttling.Api");
        }
        for _ in 0..2 {
            assert_eq!(code(throttle.admit("a", "Other", 0)), "admitted");
        }
        assert_eq!(code(throttle.admit("a", "Other", 0)), "Throttling.User");
    }

    #[test]
    fn a_clock_set_back_shuts_nobody_out() {
        let mut throttle = throttle(Some(TEN), None);
        for _ in 0..3 {
            assert_eq!(code(throttle.admit("a", "Op", 900_000_000)), "admitted");
        }
        let fault = throttle.admit("a", "Op", 0).expect_err("empty");
        assert_eq!(fault.retry_after_ms, Some(100));
        assert_eq!(code(throttle.admit("a", "Op", 100)), "admitted");
    }

    #[test]
    fn rates_finer_than_the_clock_are_kept() {
        let rate = Rate {
            per_second: 4000,
            burst: 1,
        };
        let mut throttle = throttle(Some(rate), None);
        let admitted = (0..1000)
            .flat_map(|ms| [ms; 10])
            .filter(|ms| throttle.admit("a", "Op", *ms).is_ok())
            .count();
        // One token fits into the bucket, so one a millisecond is all that such a clock can tell apart.
        assert_eq!(admitted, 1000);
    }

    #[test]
    fn accounts_that_have_paused_are_forgotten_and_those_that_have_not_are_kept() {
        let mut throttle = throttle(Some(TEN), Some(TEN));
        for at in 0..100_000_i64 {
            let account = format!("account-{at}");
            assert_eq!(code(throttle.admit(&account, "Op", at)), "admitted");
        }
        assert!(
            throttle.accounts.len() <= 2 * SWEEP_AT,
            "{}",
            throttle.accounts.len()
        );
        let now = 200_000;
        for _ in 0..3 {
            assert_eq!(code(throttle.admit("busy", "Op", now)), "admitted");
        }
        for at in 0..3000 {
            assert_eq!(
                code(throttle.admit(&format!("other-{at}"), "Op", now)),
                "admitted"
            );
        }
        assert_eq!(code(throttle.admit("busy", "Op", now)), "Throttling.Api");
    }

    #[test]
    fn without_limits_nothing_is_kept() {
        let mut throttle = throttle(None, None);
        for _ in 0..1000 {
            assert_eq!(code(throttle.admit("a", "Op", 0)), "admitted");
        }
        assert!(throttle.accounts.is_empty());
    }
}
