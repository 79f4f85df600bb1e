//! The recorded contract, as far as a draft needs it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::failure::{Context, Result, bail};

/// One operation as recorded.
pub struct Operation {
    /// The product's name.
    pub product: String,
    /// The API version it was found in.
    pub version: String,
    /// Its name on the wire.
    pub action: String,
    /// What the sources say about it, if anything.
    pub rule: Option<String>,
    /// Whether a call only looks.
    pub reads: bool,
    /// What it takes.
    pub request: Vec<Field>,
    /// What it answers, `RequestId` left out: the envelope adds it.
    pub response: Vec<Field>,
}

/// One field of a request, an answer or an object in either.
pub struct Field {
    /// Its name on the wire.
    pub name: String,
    /// What the sources say about it, in one line.
    pub rule: Option<String>,
    /// Whether a request without it is refused.
    pub required: bool,
    /// The value taken when it is left out.
    pub default: Option<Value>,
    /// The recorded example.
    pub example: Option<String>,
    /// What it holds.
    pub kind: Kind,
}

/// What a field holds.
pub enum Kind {
    /// Text of at most so many characters, if recorded.
    Text(Option<u64>),
    /// One of these words.
    Word(Vec<String>),
    /// A whole number within these bounds, each end included.
    Whole(i64, i64),
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// At most so many of these.
    List(Box<Kind>, Option<u64>),
    /// Named parts.
    Object(Vec<Field>),
    /// Names and texts chosen by the caller.
    Map,
    /// Anything JSON can say.
    Any,
}

impl Operation {
    /// The folder under `ops` of its product; those of the first product lie in `ops` itself.
    pub fn folder(&self) -> Option<&str> {
        (self.version != super::python::VERSION).then_some(self.product.as_str())
    }

    /// Looks an operation up in the contract files of a folder; the newest admin version is asked first.
    pub fn find(folder: &Path, action: &str, version: Option<&str>) -> Result<Self> {
        for path in files(folder)? {
            let contract = read(&path)?;
            let found = &contract["operations"][action];
            let its_version = text(&contract["version"]).unwrap_or_default();
            if found.is_object() && version.is_none_or(|wanted| wanted == its_version) {
                let product = text(&contract["product"]).unwrap_or_default();
                return Ok(Self::parse(&product, action, &its_version, found));
            }
        }
        match version {
            Some(version) => bail!("the contract of {version} has no operation `{action}`"),
            None => bail!("the contract has no operation `{action}`"),
        }
    }

    /// Reads one operation of a contract file.
    pub fn parse(product: &str, action: &str, version: &str, value: &Value) -> Self {
        let access = value["ram"]["access"].as_str();
        let looks = ["List", "Get", "Page", "Find"]
            .iter()
            .any(|verb| action.starts_with(verb));
        let mut response = fields(&value["response"]);
        response.retain(|field| field.name != "RequestId");
        Self {
            product: product.to_owned(),
            version: version.to_owned(),
            action: action.to_owned(),
            rule: text(&value["rule"]),
            reads: access.map_or(looks, |access| matches!(access, "get" | "list")),
            request: fields(&value["request"]),
            response,
        }
    }
}

/// The contract files, the operations of most people first.
fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let entries = fs::read_dir(folder).context(|| format!("reading {}", folder.display()))?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "json"));
    files.sort_by_key(|path| {
        (
            !path.to_string_lossy().ends_with("2021-09-01.json"),
            path.clone(),
        )
    });
    Ok(files)
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).context(|| format!("reading {}", path.display()))
}

fn fields(value: &Value) -> Vec<Field> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, field)| parse_field(name, field))
        .collect()
}

fn parse_field(name: &str, value: &Value) -> Field {
    Field {
        name: name.to_owned(),
        rule: text(&value["rule"]),
        required: value["required"].as_bool() == Some(true),
        default: value.get("default").cloned(),
        example: text(&value["example"]),
        kind: match name {
            "BizRegionId" => Kind::Text(None),
            _ => kind(value["type"].as_str().unwrap_or("any"), value),
        },
    }
}

fn kind(named: &str, value: &Value) -> Kind {
    let most = |name: &str| value[name].as_u64();
    match named {
        "string" => match words(value) {
            Some(words) => Kind::Word(words),
            None => Kind::Text(most("maxLength")),
        },
        "integer" => {
            let (least, greatest) = match value["format"].as_str() {
                Some("int64") => (i64::MIN, i64::MAX),
                _ => (i64::from(i32::MIN), i64::from(i32::MAX)),
            };
            Kind::Whole(
                value["min"].as_i64().unwrap_or(least),
                value["max"].as_i64().unwrap_or(greatest),
            )
        }
        "number" => Kind::Number,
        "boolean" => Kind::Bool,
        "array" => Kind::List(
            Box::new(kind(value["items"].as_str().unwrap_or("any"), value)),
            most("maxItems"),
        ),
        "object" => match fields(&value["fields"]) {
            parts if parts.is_empty() => Kind::Any,
            parts => Kind::Object(parts),
        },
        "map" => Kind::Map,
        _ => Kind::Any,
    }
}

/// The words of a closed list. Some recorded lists are samples, and say so; regions always are.
fn words(value: &Value) -> Option<Vec<String>> {
    let rule = value["rule"].as_str().unwrap_or_default();
    if rule.contains("enum is a sample") || rule.contains("enum lists only") {
        return None;
    }
    let words = value["enum"].as_array()?;
    Some(words.iter().filter_map(text).collect())
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
