//! Numbers, read and printed as JavaScript does.

use std::borrow::Cow;

use memchr::memchr2;

/// Appends what `JSON.stringify` prints for a number.
pub fn push_number(out: &mut String, n: f64) {
    if n.is_finite() {
        out.push_str(ryu_js::Buffer::new().format_finite(n));
    } else {
        out.push_str("null");
    }
}

/// What a valid JSON number becomes once parsed and printed again.
#[must_use]
pub fn canonical_number(token: &str) -> Cow<'_, str> {
    if is_short_integer(token) {
        return Cow::Borrowed(token);
    }
    let number = parse_number(token);
    if !number.is_finite() {
        return Cow::Borrowed("null");
    }
    let mut buffer = ryu_js::Buffer::new();
    let printed = buffer.format_finite(number);
    if printed == token {
        Cow::Borrowed(token)
    } else {
        Cow::Owned(printed.to_owned())
    }
}

/// An integer of at most 15 digits is exact as a double and prints as it is written.
fn is_short_integer(token: &str) -> bool {
    let digits = token.strip_prefix('-').unwrap_or(token);
    digits.len() <= 15 && token != "-0" && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The value of a valid JSON number: out of range goes to infinity or to zero.
pub(super) fn parse_number(token: &str) -> f64 {
    // The standard parser saturates exponents early, which only tokens with as many digits can
    // make visible.
    if token.len() > 4096 {
        return parse_long(token);
    }
    token.parse().unwrap_or(f64::NAN)
}

/// Brings a long token down to the digits that can matter, then parses it.
fn parse_long(token: &str) -> f64 {
    /// More digits than any midpoint between two doubles has.
    const SIGNIFICANT: usize = 800;
    let (sign, rest) = match token.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", token),
    };
    let (mantissa, exponent) = match memchr2(b'e', b'E', rest.as_bytes()) {
        Some(at) => (rest.get(..at), rest.get(at + 1..)),
        None => (Some(rest), None),
    };
    let (mantissa, exponent) = (mantissa.unwrap_or_default(), exponent.unwrap_or("0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (whole, decimals) = (whole.trim_start_matches('0'), fraction);
    let decimals = if whole.is_empty() {
        decimals.trim_start_matches('0')
    } else {
        decimals
    };
    let length = whole.len() + decimals.len();
    let mut digits = whole.bytes().chain(decimals.bytes());
    let mut short: String = digits.by_ref().take(SIGNIFICANT).map(char::from).collect();
    // What is cut off only says on which side of a midpoint the value lies.
    let sticky = digits.any(|digit| digit != b'0');
    let dropped = length.saturating_sub(SIGNIFICANT) as i64;
    short.push(if sticky { '1' } else { '0' });
    let exponent = saturating_exponent(exponent)
        .saturating_sub(fraction.len() as i64)
        .saturating_add(dropped - 1)
        .clamp(-50_000, 50_000);
    format!("{sign}{short}e{exponent}")
        .parse()
        .unwrap_or(f64::NAN)
}

fn saturating_exponent(text: &str) -> i64 {
    let magnitude = text
        .bytes()
        .filter(u8::is_ascii_digit)
        .fold(0_i64, |sum, digit| {
            sum.saturating_mul(10)
                .saturating_add(i64::from(digit - b'0'))
        });
    if text.starts_with('-') {
        -magnitude
    } else {
        magnitude
    }
}
