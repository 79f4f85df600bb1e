//! Whether the system that apps see knows a locale. A program that is told one
//! that is not there falls back to ASCII, and loses every other letter.

use std::ffi::CString;

/// What every glibc since 2.35 has without any package, and Debian's before.
const PLAIN: &str = "C.UTF-8";

/// The locale of that name, or the plain one where it is not installed.
pub fn or_plain(name: &str) -> &str {
    if is_installed(name) { name } else { PLAIN }
}

fn is_installed(name: &str) -> bool {
    let Ok(name) = CString::new(name) else {
        return false;
    };
    // SAFETY: the name outlives the call, and no locale is given that it would change.
    let locale = unsafe { libc::newlocale(libc::LC_ALL_MASK, name.as_ptr(), std::ptr::null_mut()) };
    if locale.is_null() {
        return false;
    }
    // SAFETY: it was made just now, and nobody uses it.
    unsafe { libc::freelocale(locale) };
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_stays_and_what_is_not_becomes_plain() {
        assert_eq!(or_plain("C"), "C");
        assert_eq!(or_plain(PLAIN), PLAIN);
        for unknown in ["xx_YY.UTF-8", "../../etc", "C\0"] {
            assert_eq!(or_plain(unknown), PLAIN);
        }
    }
}
