//! Reading policy documents.

use super::condition::{Condition, Facts};
use super::{Effect, Statement, Verdict, Which, hold, wildcard};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::marker::PhantomData;

/// The most characters of a document that is read, spaces included.
pub const MAX_CHARS: usize = 6_144;

/// The text is no policy document.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// It is longer than any may be.
    #[error("a policy has at most {MAX_CHARS} characters")]
    TooLong,
    /// It does not follow the grammar.
    #[error("not a policy: {0}")]
    Grammar(#[from] serde_json::Error),
}

/// A policy of a user, a group, a role or a session: it says what may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    pub(super) statements: Vec<Statement>,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// It is too long, or does not follow the grammar.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        let raw: RawDocument<RawStatement> = parse(text)?;
        let statements = raw.statement.into_iter().map(RawStatement::statement);
        let statements = statements.collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }
}

/// A policy of a role that says who may assume it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    statements: Vec<TrustStatement>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct TrustStatement {
    effect: Effect,
    actions: Vec<String>,
    principals: Vec<String>,
    conditions: Vec<Condition>,
}

impl Trust {
    /// Reads a document.
    ///
    /// # Errors
    /// It is too long, or does not follow the grammar.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        let raw: RawDocument<RawTrust> = parse(text)?;
        let statements = raw.statement.into_iter().map(RawTrust::statement);
        let statements = statements.collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }

    /// Whether it lets somebody assume the role, who is each of `principals`: a user is itself and its account
    /// (`acs:ram::ACCOUNT:user/alice`, `acs:ram::ACCOUNT:root`).
    #[must_use]
    pub fn verdict(&self, principals: &[String], facts: &Facts) -> Verdict {
        let about = |statement: &&TrustStatement| {
            let named = |trusted: &String| {
                principals
                    .iter()
                    .any(|principal| wildcard::matches(trusted, principal, false))
            };
            let acts = |action: &String| wildcard::matches(action, "sts:AssumeRole", true);
            statement.principals.iter().any(named)
                && statement.actions.iter().any(acts)
                && hold(&statement.conditions, statement.effect, facts)
        };
        let effects = self.statements.iter().filter(about);
        Verdict::of_effects(effects.map(|statement| statement.effect))
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<RawDocument<T>, Malformed> {
    // Bytes first: they need no counting, and no character has fewer than one.
    if text.len() > MAX_CHARS && text.chars().count() > MAX_CHARS {
        return Err(Malformed::TooLong);
    }
    let document: RawDocument<T> = serde_json::from_str(text)?;
    if document.version != "1" {
        return Err(serde_json::Error::custom("Version is not \"1\"").into());
    }
    if document.statement.is_empty() {
        return Err(serde_json::Error::custom("Statement is empty").into());
    }
    Ok(document)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RawDocument<T> {
    version: String,
    statement: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RawStatement {
    effect: RawEffect,
    action: Option<OneOrMore>,
    not_action: Option<OneOrMore>,
    resource: OneOrMore,
    #[serde(default)]
    condition: Conditions,
}

impl RawStatement {
    fn statement(self) -> Result<Statement, serde_json::Error> {
        let actions = match (self.action, self.not_action) {
            (Some(these), None) => Which::These(these.0),
            (None, Some(but)) => Which::AllBut(but.0),
            _ => return Err(Error::custom("one of Action and NotAction")),
        };
        let (Which::These(names) | Which::AllBut(names)) = &actions;
        if !names.iter().all(|name| name == "*" || name.contains(':')) {
            return Err(Error::custom("an action is code:Name"));
        }
        let resources = self.resource.0;
        if !resources
            .iter()
            .all(|name| name == "*" || name.starts_with("acs:"))
        {
            return Err(Error::custom("a resource is * or acs:…"));
        }
        Ok(Statement {
            effect: self.effect.into(),
            actions,
            resources,
            conditions: self.condition.0,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RawTrust {
    effect: RawEffect,
    action: OneOrMore,
    principal: RawPrincipal,
    #[serde(default)]
    condition: Conditions,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrincipal {
    #[serde(rename = "RAM")]
    ram: Option<OneOrMore>,
    // Nobody here comes by these; a document that names them is none the less a good one.
    #[serde(rename = "Service")]
    service: Option<OneOrMore>,
    #[serde(rename = "Federated")]
    federated: Option<OneOrMore>,
}

impl RawTrust {
    fn statement(self) -> Result<TrustStatement, serde_json::Error> {
        let RawPrincipal {
            ram,
            service,
            federated,
        } = self.principal;
        if ram.is_none() && service.is_none() && federated.is_none() {
            return Err(Error::custom("Principal is empty"));
        }
        let principals = ram.map_or_else(Vec::new, |ram| ram.0);
        if !principals.iter().all(|name| is_principal(name)) {
            let form = "a principal is acs:ram::ACCOUNT:root, :user/NAME or :role/NAME";
            return Err(Error::custom(form));
        }
        Ok(TrustStatement {
            effect: self.effect.into(),
            actions: self.action.0,
            principals,
            conditions: self.condition.0,
        })
    }
}

/// An account, a user or a role. Names may be patterns; the account is one that is named, for a pattern would
/// let in accounts that nobody thought of.
fn is_principal(text: &str) -> bool {
    let parts = text
        .strip_prefix("acs:ram::")
        .and_then(|rest| rest.split_once(':'));
    let Some((account, whom)) = parts else {
        return false;
    };
    let is_account = !account.is_empty() && account.bytes().all(|b| b.is_ascii_digit());
    let named = |kind: &str| whom.strip_prefix(kind).is_some_and(|name| !name.is_empty());
    is_account && (whom == "root" || named("user/") || named("role/"))
}

#[derive(Deserialize)]
enum RawEffect {
    Allow,
    Deny,
}

impl From<RawEffect> for Effect {
    fn from(raw: RawEffect) -> Self {
        match raw {
            RawEffect::Allow => Self::Allow,
            RawEffect::Deny => Self::Deny,
        }
    }
}

/// A text, or a list of at least one.
struct OneOrMore(Vec<String>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a text or a list of texts")]
        enum Form {
            One(String),
            More(Vec<String>),
        }
        let texts = match Form::deserialize(deserializer)? {
            Form::One(text) => vec![text],
            Form::More(texts) => texts,
        };
        if texts.is_empty() || texts.iter().any(String::is_empty) {
            return Err(Error::custom("an empty list or text"));
        }
        Ok(Self(texts))
    }
}

/// `{operator: {key: [values]}}`, in which nothing comes twice.
#[derive(Default)]
struct Conditions(Vec<Condition>);

impl<'de> Deserialize<'de> for Conditions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Pairs(operators) = Pairs::<Pairs<Values>>::deserialize(deserializer)?;
        let mut conditions = Vec::new();
        for (operator, Pairs(keys)) in operators {
            for (key, Values(values)) in keys {
                let read = Condition::read(&operator, key, values);
                conditions.push(read.ok_or_else(|| {
                    Error::custom("an unknown operator, or a value that it cannot compare")
                })?);
            }
        }
        Ok(Self(conditions))
    }
}

/// Values of a condition. Hand-made documents have numbers and truth values without quotes.
struct Values(Vec<String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a value or a list of values")]
        enum Form {
            One(Scalar),
            More(Vec<Scalar>),
        }
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a text, a number or a truth value")]
        enum Scalar {
            Text(String),
            Bool(bool),
            Number(serde_json::Number),
        }
        let text = |scalar| match scalar {
            Scalar::Text(text) => text,
            Scalar::Bool(yes) => yes.to_string(),
            Scalar::Number(number) => number.to_string(),
        };
        Ok(Self(match Form::deserialize(deserializer)? {
            Form::One(value) => vec![text(value)],
            Form::More(values) => values.into_iter().map(text).collect(),
        }))
    }
}

/// An object whose names are free, each of them once.
struct Pairs<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
            type Value = Pairs<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<T>, A::Error> {
                let mut pairs: Vec<(String, T)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, T>()? {
                    if pairs.iter().any(|(taken, _)| *taken == name) {
                        return Err(Error::custom("a name comes twice"));
                    }
                    pairs.push((name, value));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Reader(PhantomData))
    }
}
