//! What X apps call a type, and what all others do.

/// What other apps call text, and X apps `UTF8_STRING`.
const TEXT: [&str; 2] = ["text/plain;charset=utf-8", "text/plain"];
const X_TEXT: &str = "UTF8_STRING";

/// The types of what an X app has copied, and the numbers the X server has for them.
#[derive(Debug, Default)]
pub struct Types(Vec<(String, u32)>);

impl Types {
    /// The types among an X app's targets: the others are about the transfer.
    pub fn of_x(targets: Vec<(String, u32)>) -> Self {
        let is_type = |name: &str| name.contains('/') || [X_TEXT, "STRING", "TEXT"].contains(&name);
        let mut types = targets;
        types.retain(|(name, _)| is_type(name));
        let find = |wanted: &str| types.iter().find(|(name, _)| name == wanted);
        if find(TEXT[0]).is_none()
            && let Some((_, target)) = find(X_TEXT)
        {
            let target = *target;
            types.insert(0, (TEXT[0].to_owned(), target));
        }
        Self(types)
    }

    /// As all other apps are told of them.
    pub fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    /// What to ask the X app for.
    pub fn target(&self, name: &str) -> Option<u32> {
        let mut types = self.0.iter();
        types.find(|(known, _)| known == name).map(|(_, it)| *it)
    }
}

/// The types of what other apps have copied, as X apps are told of them.
pub fn x_names(mut types: Vec<String>) -> Vec<String> {
    let has = |name: &str| types.iter().any(|it| it == name);
    if !has(X_TEXT) && has(TEXT[0]) {
        types.insert(0, X_TEXT.to_owned());
    }
    types
}

/// What an X app means by a type, as the others have it.
pub fn other_name<'a>(name: &'a str, had: &[String]) -> &'a str {
    if name == X_TEXT && !had.iter().any(|it| it == name) {
        TEXT[0]
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn text_of_an_x_app_has_the_name_that_others_ask_for() {
        let targets = ["TARGETS", "TIMESTAMP", "UTF8_STRING", "STRING", "image/png"];
        let targets = (1..)
            .zip(targets)
            .map(|(atom, name)| (name.to_owned(), atom));
        let types = Types::of_x(targets.collect());
        assert_eq!(
            types.names(),
            names(&[TEXT[0], "UTF8_STRING", "STRING", "image/png"])
        );
        assert_eq!(types.target(TEXT[0]), Some(3));
        assert_eq!(types.target("image/png"), Some(5));
        assert_eq!(types.target("TARGETS"), None);
    }

    #[test]
    fn text_of_others_has_the_name_that_x_apps_ask_for() {
        let had = names(&[TEXT[0], "text/html"]);
        let told = x_names(had.clone());
        assert_eq!(told, names(&["UTF8_STRING", TEXT[0], "text/html"]));
        assert_eq!(other_name("UTF8_STRING", &had), TEXT[0]);
        assert_eq!(other_name("text/html", &had), "text/html");
        let both = names(&["UTF8_STRING", TEXT[0]]);
        assert_eq!(x_names(both.clone()), both);
        assert_eq!(other_name("UTF8_STRING", &both), "UTF8_STRING");
    }
}
