//! Scalars as text.

use super::ParamError;
use std::str::FromStr;

/// A text without NUL, which no official client means and PostgreSQL has no room for.
pub(super) fn holdable(text: &str) -> Result<&str, ParamError> {
    if text.contains('\0') {
        return Err(ParamError::invalid("has a NUL"));
    }
    Ok(text)
}

/// An integer in decimal digits with an optional minus: no plus, space, fraction or exponent.
pub(super) fn integer<T: FromStr>(text: &str) -> Result<T, ParamError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ParamError::invalid("is not an integer"));
    }
    text.parse()
        .map_err(|_| ParamError::invalid("is out of range"))
}

/// A finite decimal number, with or without an exponent.
pub(super) fn float(text: &str) -> Result<f64, ParamError> {
    // The parser's words for what is not finite go with the values they stand for.
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && !text.starts_with('+') => Ok(number),
        _ => Err(ParamError::invalid("is not a number")),
    }
}

/// `true` or `false`, in any case: one official client capitalises them.
pub(super) fn boolean(text: &str) -> Result<bool, ParamError> {
    if text.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err(ParamError::invalid("is neither true nor false"))
    }
}
