//! What the fields of requests have in common: bounds that hold as soon as a value exists, ids that may name
//! nothing, texts that may be empty.
//!
//! Bounds stand in the types, so that a request that was read is a request within its bounds; only rules
//! between fields are left to an operation's `validate`.

use greenroom_model::{EndUserId, ProductType};
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Whole<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> Whole<MIN, MAX> {
    /// A number known to be within the bounds.
    ///
    /// # Panics
    /// It is not, which a `const` context reports when it is compiled.
    #[must_use]
    pub const fn of(value: i64) -> Self {
        assert!(MIN <= value && value <= MAX, "outside the bounds");
        Self(value)
    }

    /// The number, or the nearest one within the bounds.
    #[must_use]
    pub fn clamped(value: i64) -> Self {
        Self(value.clamp(MIN, MAX))
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The number, when its bounds make it a `u32`; else the nearest one.
    #[must_use]
    pub fn as_u32(self) -> u32 {
        u32::try_from(self.0.max(0)).unwrap_or(u32::MAX)
    }

    /// The number, when its bounds make it an `i32`; else the nearest one.
    #[must_use]
    pub fn as_i32(self) -> i32 {
        i32::try_from(self.0).unwrap_or(if self.0 < 0 { i32::MIN } else { i32::MAX })
    }
}

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = i64::deserialize(deserializer)?;
        if (MIN..=MAX).contains(&value) {
            Ok(Self(value))
        } else {
            Err(D::Error::custom(format_args!("outside {MIN}..={MAX}")))
        }
    }
}

/// The largest value of the contract's `int32`.
pub const INT32_MAX: i64 = i32::MAX as i64;

/// `PageNumber`: from 1. A page past the end is empty, not an error.
pub type PageNumber = Whole<1, INT32_MAX>;

/// `PageSize`.
pub type PageSize = Whole<1, 100>;

/// The default of `PageNumber`.
#[must_use]
pub const fn first_page() -> PageNumber {
    PageNumber::of(1)
}

/// The default of `PageSize` where the contract gives none of its own.
#[must_use]
pub const fn page_of_20() -> PageSize {
    PageSize::of(20)
}

/// A text of 1 to `MAX` characters, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Text<const MAX: usize>(String);

impl<const MAX: usize> Text<MAX> {
    /// The text as one of these, if it can be one.
    #[must_use]
    pub fn of(text: String) -> Option<Self> {
        let fits = !text.is_empty() && text.chars().count() <= MAX;
        (fits && !text.chars().any(char::is_control)).then_some(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(filled(deserializer)?)
            .ok_or_else(|| D::Error::custom(format_args!("not a text of 1 to {MAX} characters")))
    }
}

/// A list of at most `MAX` items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize> List<T, MAX> {
    /// The items, in the order given.
    #[must_use]
    pub fn items(&self) -> &[T] {
        &self.0
    }

    /// The list of these items, unless they are too many.
    #[must_use]
    pub fn of(items: Vec<T>) -> Option<Self> {
        (items.len() <= MAX).then_some(Self(items))
    }

    /// The items, in the order given.
    #[must_use]
    pub fn into_items(self) -> Vec<T> {
        self.0
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for List<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(Vec::deserialize(deserializer)?)
            .ok_or_else(|| D::Error::custom(format_args!("more than {MAX} items")))
    }
}

/// An id in whatever form the caller wrote it: a text that cannot be an id names nothing, and is answered
/// like an id that nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ref<T>(Option<T>);

impl<T> Ref<T> {
    /// The id, when the text is one.
    #[must_use]
    pub fn id(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl<'de, T: TryFrom<String>> Deserialize<'de> for Ref<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(T::try_from(filled(deserializer)?).ok()))
    }
}

/// `ProductType`, in upper or lower case as some of the vendor's texts allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Product(pub ProductType);

impl<'de> Deserialize<'de> for Product {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = filled(deserializer)?;
        let named = |known: &&ProductType| known.as_str().eq_ignore_ascii_case(&text);
        match ProductType::ALL.iter().find(named) {
            Some(known) => Ok(Self(*known)),
            None => Err(D::Error::custom("not a product type")),
        }
    }
}

/// `ProductType` where the contract names everything that the vendor sells; `None` for what is never
/// delivered here, of which there is nothing to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnyProduct(pub Option<ProductType>);

/// What the vendor sells and no part of this API delivers.
const SOLD_ELSEWHERE: [&str; 5] = [
    "WuyingServer",
    "WuyingWorkstation",
    "WuyingWorkstationTeam",
    "WuyingWorkstationBusiness",
    "AIAgent",
];

impl AnyProduct {
    /// Reads the word, in upper or lower case; `None` when the vendor sells nothing of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is = |word: &str| word.eq_ignore_ascii_case(text);
        let ours = ProductType::ALL.iter().find(|known| is(known.as_str()));
        let known = ours.is_some() || SOLD_ELSEWHERE.into_iter().any(is);
        known.then(|| Self(ours.copied()))
    }
}

impl<'de> Deserialize<'de> for AnyProduct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = filled(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a product type"))
    }
}

/// The ids of a filter's list that are ids; `None` for a list without any values, which does not filter.
#[must_use]
pub fn named<T: Clone, const MAX: usize>(list: &List<Ref<T>, MAX>) -> Option<Vec<T>> {
    let asked = list.items();
    (!asked.is_empty()).then(|| asked.iter().filter_map(Ref::id).cloned().collect())
}

/// `UserMeta`: of which kind users are. There is one kind of user here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserMeta {
    #[expect(dead_code, reason = "only its form matters")]
    ad_domain: Option<Text<255>>,
    #[serde(rename = "Type")]
    #[expect(dead_code, reason = "only its form matters")]
    kind: Option<UserKind>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum UserKind {
    Ad,
    #[serde(alias = "Simple")]
    Simple,
}

/// The id that a filter names, if any. The outer `None`: it is a text that can be no id.
#[must_use]
pub fn named_one<T: Clone>(asked: Option<&Ref<T>>) -> Option<Option<T>> {
    match asked {
        None => Some(None),
        Some(asked) => asked.id().cloned().map(Some),
    }
}

/// A text for which empty means absent, as the official clients mean it. Asking for a `char` is how a
/// type tells the parameters so: they answer with the whole text, and take an empty one for none.
///
/// # Errors
/// It is no text, or an empty one where there are parameters to say so.
pub fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Filled;
    impl Visitor<'_> for Filled {
        type Value = String;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }
        fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
            Ok(text.to_owned())
        }
    }
    deserializer.deserialize_char(Filled)
}

/// Users, without those named twice.
#[must_use]
pub fn distinct(users: Vec<EndUserId>) -> Vec<EndUserId> {
    let mut seen = std::collections::BTreeSet::new();
    users
        .into_iter()
        .filter(|user| seen.insert(user.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_model::PersistentId;
    use serde_json::{from_value, json};

    #[test]
    fn numbers_and_texts_and_lists_keep_their_bounds() {
        for (value, fits) in [
            (0, false),
            (1, true),
            (100, true),
            (101, false),
            (-1, false),
        ] {
            assert_eq!(
                from_value::<PageSize>(json!(value)).is_ok(),
                fits,
                "{value}"
            );
        }
        for (value, fits) in [
            ("", false),
            ("é", true),
            ("éé", true),
            ("ééé", false),
            ("a\n", false),
        ] {
            assert_eq!(
                from_value::<Text<2>>(json!(value)).is_ok(),
                fits,
                "{value:?}"
            );
        }
        for (value, fits) in [
            (json!([]), true),
            (json!([1, 1]), true),
            (json!([1, 1, 1]), false),
        ] {
            assert_eq!(
                from_value::<List<PageNumber, 2>>(value.clone()).is_ok(),
                fits,
                "{value}"
            );
        }
    }

    #[test]
    fn what_is_sold_elsewhere_is_a_product_that_is_not_here() {
        for (word, product) in [
            ("cloudapp", Some(Some(ProductType::CloudApp))),
            ("WuyingServer", Some(None)),
            ("aiagent", Some(None)),
            ("CloudGame", None),
        ] {
            let read = from_value::<AnyProduct>(json!(word)).ok();
            assert_eq!(read.map(|read| read.0), product, "{word}");
        }
    }

    #[test]
    fn a_text_that_is_no_id_names_nothing() {
        let named: Ref<PersistentId> = from_value(json!("p-1")).unwrap();
        assert!(named.id().is_some());
        let nothing: Ref<PersistentId> = from_value(json!("p-0cc7s3mw2fg4j****")).unwrap();
        assert_eq!(nothing.id(), None);
    }
}
