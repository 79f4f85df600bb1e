//! Policy documents: what they say, and what that means for a call.
//!
//! A document is read into types that hold nothing else, so that what was read can be evaluated without
//! failing. Reading is bounded in size by its callers' limits and in depth by the JSON reader, and takes no
//! document that two readers could understand in two ways: an unknown or doubled element is refused.

mod condition;
mod document;
mod wildcard;

pub use condition::Facts;
pub use document::{Document, MAX_CHARS, Malformed, Trust};

use condition::{Condition, Met};

/// What a statement does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Allow,
    Deny,
}

/// Which of a kind a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Which {
    These(Vec<String>),
    AllBut(Vec<String>),
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Statement {
    effect: Effect,
    actions: Which,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

/// What is asked: may this be done to that?
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// `appstreaming:ListRegions`.
    pub action: &'a str,
    /// `acs:ram::1234567890123456:user/alice`.
    pub resource: &'a str,
    /// What else is known of the call.
    pub facts: &'a Facts,
}

/// What documents say about a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A statement allows it, and none denies it.
    Allowed,
    /// A statement denies it.
    Denied,
    /// No statement is about it.
    Silent,
}

impl Verdict {
    /// What several documents say together: a denial wins, then a permission.
    #[must_use]
    pub fn of<'a>(
        documents: impl IntoIterator<Item = &'a Document>,
        question: &Question<'_>,
    ) -> Self {
        let statements = documents
            .into_iter()
            .flat_map(|document| &document.statements);
        let about = statements.filter(|statement| statement.applies(question));
        Self::of_effects(about.map(|statement| statement.effect))
    }

    /// What the statements say together that are about a question.
    fn of_effects(effects: impl IntoIterator<Item = Effect>) -> Self {
        let mut verdict = Self::Silent;
        for effect in effects {
            match effect {
                Effect::Deny => return Self::Denied,
                Effect::Allow => verdict = Self::Allowed,
            }
        }
        verdict
    }
}

impl Statement {
    fn applies(&self, question: &Question<'_>) -> bool {
        let named = |names: &[String]| {
            names
                .iter()
                .any(|name| wildcard::matches(name, question.action, true))
        };
        let acts = match &self.actions {
            Which::These(names) => named(names),
            Which::AllBut(names) => !named(names),
        };
        acts && self
            .resources
            .iter()
            .any(|resource| wildcard::matches(resource, question.resource, false))
            && hold(&self.conditions, self.effect, question.facts)
    }
}

/// Whether all conditions hold. What nobody knows is taken to hold for a denial and not for a permission.
fn hold(conditions: &[Condition], effect: Effect, facts: &Facts) -> bool {
    conditions
        .iter()
        .all(|condition| match condition.met(facts) {
            Met::Yes => true,
            Met::No => false,
            Met::Unknown => effect == Effect::Deny,
        })
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
