//! What an operation's arguments look like to a policy, derived from the tool's JSON schema.
//!
//! A shape is the only way from a call's arguments into Cedar, so that a policy sees typed values or none: what Cedar cannot
//! represent is *opaque*, is listed as such, and a policy that names it does not compile.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::limits;
use crate::projection::Drawn;
use crate::validity::Validity;

#[cfg(test)]
mod tests;

/// The typed view of an operation's arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    pub(crate) root: Record,
    opaque: Vec<String>,
    /// What is drawn from the arguments for policies, sorted by name.
    pub(crate) projected: Vec<Drawn>,
    /// All that the schema says; nothing where there is none.
    pub(crate) validity: Option<Validity>,
}

/// The members of an object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) fields: BTreeMap<String, Field>,
    /// Whether the schema says in so many words that further members are welcome.
    pub(crate) open: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) required: bool,
    pub(crate) nullable: bool,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar(Scalar),
    Set(Scalar),
    Record(Record),
    /// Not representable; let through unseen.
    Opaque,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    String,
    Long,
    Bool,
    Decimal,
}

/// Why a JSON schema gives no shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// The schema does not describe an object.
    #[error("the schema of a tool's arguments must describe an object (`\"type\": \"object\"`)")]
    NotAnObject,
    /// A keyword has a value that JSON Schema does not allow.
    #[error("the schema's `{keyword}` at `{path}` is malformed")]
    Malformed {
        /// The property that it stands at; empty for the arguments themselves.
        path: String,
        /// The keyword.
        keyword: &'static str,
    },
    /// More than [`limits::SHAPE_PROPERTIES_MAX`] properties.
    #[error("the schema has more than {} properties", limits::SHAPE_PROPERTIES_MAX)]
    TooManyProperties,
    /// A property name longer than [`limits::PROPERTY_NAME_BYTES_MAX`].
    #[error("the schema has a property name of more than {} bytes at `{path}`", limits::PROPERTY_NAME_BYTES_MAX)]
    NameTooLong {
        /// The property above it; empty for the arguments themselves.
        path: String,
    },
}

impl Shape {
    /// The shape of an operation that takes no arguments.
    pub fn empty() -> Self {
        Self { root: Record::default(), opaque: Vec::new(), projected: Vec::new(), validity: None }
    }

    /// Derives the shape from a tool's JSON schema (2020-12, the `inputSchema` of the Model Context Protocol).
    ///
    /// Text, whole numbers, numbers, truth values, objects with named properties, and arrays of one scalar type become
    /// typed; `number` becomes Cedar's `decimal`; a type or `null` becomes an optional type. All else is opaque.
    ///
    /// # Errors
    /// If the schema does not describe an object, is malformed, or exceeds a limit.
    pub fn from_json_schema(schema: &Value) -> Result<Self, ShapeError> {
        let whole = schema;
        let Value::Object(schema) = schema else { return Err(ShapeError::NotAnObject) };
        match schema.get("type") {
            Some(Value::String(word)) if word == "object" => {}
            None if schema.contains_key("properties") => {}
            _ => return Err(ShapeError::NotAnObject),
        }
        let mut reader = Reader::default();
        let root = reader.record(schema, "", 0)?;
        let validity = Some(Validity::of(whole.clone()));
        Ok(Self { root, opaque: reader.opaque, projected: Vec::new(), validity })
    }

    /// The arguments that policies cannot see, as dotted paths.
    pub fn opaque(&self) -> &[String] {
        &self.opaque
    }

    /// The shape as a Cedar record type. Deterministic.
    pub(crate) fn cedar_type(&self) -> String {
        let mut text = String::new();
        write_record(&mut text, &self.root);
        text
    }

    /// What is drawn from the arguments, as a Cedar record type. Deterministic.
    pub(crate) fn projected_type(&self) -> String {
        let fields = self.projected.iter().map(|drawn| {
            let optional = if drawn.is_optional() { "?" } else { "" };
            let scalar = drawn.scalar().cedar_type();
            let kind = if drawn.is_set() { format!("Set<{scalar}>") } else { scalar.to_owned() };
            format!("\"{}\"{optional}: {kind}", drawn.name())
        });
        format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
    }
}

/// The dotted path of a member.
pub(crate) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

impl Scalar {
    fn cedar_type(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::Long => "Long",
            Self::Bool => "Bool",
            Self::Decimal => "decimal",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word {
            "string" => Some(Self::String),
            "integer" => Some(Self::Long),
            "boolean" => Some(Self::Bool),
            "number" => Some(Self::Decimal),
            _ => None,
        }
    }
}

fn write_record(text: &mut String, record: &Record) {
    text.push('{');
    let mut separator = "";
    for (name, field) in &record.fields {
        let optional = if field.required && !field.nullable { "" } else { "?" };
        if field.kind == Kind::Opaque {
            continue;
        }
        // Names are always quoted: tools use names that Cedar would take for keywords, or could not read at all.
        // Writing into a String cannot fail.
        let _ = write!(text, "{separator}\"{}\"{optional}: ", name.escape_debug());
        match &field.kind {
            Kind::Scalar(scalar) => text.push_str(scalar.cedar_type()),
            Kind::Set(scalar) => {
                let _ = write!(text, "Set<{}>", scalar.cedar_type());
            }
            Kind::Record(inner) => write_record(text, inner),
            Kind::Opaque => {}
        }
        separator = ", ";
    }
    text.push('}');
}

#[derive(Default)]
struct Reader {
    properties: usize,
    opaque: Vec<String>,
}

impl Reader {
    fn record(&mut self, schema: &Map<String, Value>, path: &str, depth: usize) -> Result<Record, ShapeError> {
        let malformed = |keyword| ShapeError::Malformed { path: path.to_owned(), keyword };
        let required = match schema.get("required") {
            None => Vec::new(),
            Some(Value::Array(names)) => {
                names.iter().map(Value::as_str).collect::<Option<Vec<_>>>().ok_or_else(|| malformed("required"))?
            }
            Some(_) => return Err(malformed("required")),
        };
        let mut record = Record { fields: BTreeMap::new(), open: is_open(schema) };
        match schema.get("properties") {
            None => {}
            Some(Value::Object(properties)) => {
                for (name, property) in properties {
                    let (kind, nullable) = self.property(property, path, name, depth)?;
                    let required = required.contains(&name.as_str());
                    record.fields.insert(name.clone(), Field { required, nullable, kind });
                }
            }
            Some(_) => return Err(malformed("properties")),
        }
        // A name that is required but nowhere described must be there; what it holds stays unseen.
        for name in required {
            if !record.fields.contains_key(name) {
                self.count(path, name)?;
                self.opaque.push(join(path, name));
                record.fields.insert(name.to_owned(), Field { required: true, nullable: true, kind: Kind::Opaque });
            }
        }
        Ok(record)
    }

    fn property(&mut self, schema: &Value, above: &str, name: &str, depth: usize) -> Result<(Kind, bool), ShapeError> {
        self.count(above, name)?;
        let path = join(above, name);
        let (kind, nullable) = self.kind(schema, &path, depth)?;
        if kind == Kind::Opaque {
            self.opaque.push(path);
        }
        // An opaque value is let through unseen, and so is `null` in its place.
        let nullable = nullable || kind == Kind::Opaque;
        Ok((kind, nullable))
    }

    fn kind(&mut self, schema: &Value, path: &str, depth: usize) -> Result<(Kind, bool), ShapeError> {
        const UNSEEN: (Kind, bool) = (Kind::Opaque, true);
        let Value::Object(schema) = schema else { return Ok(UNSEEN) };
        let Some((word, nullable)) = single_type(schema) else {
            // The usual way to write an optional value: any of a type and null.
            return match or_null(schema) {
                Some(inner) if depth < limits::SHAPE_DEPTH_MAX => {
                    let (kind, _) = self.kind(inner, path, depth + 1)?;
                    Ok((kind, true))
                }
                _ => Ok(UNSEEN),
            };
        };
        let kind = match (word, Scalar::from_word(word)) {
            (_, Some(scalar)) => Kind::Scalar(scalar),
            ("array", _) => element(schema).map_or(Kind::Opaque, Kind::Set),
            ("object", _) if depth < limits::SHAPE_DEPTH_MAX && has_members(schema) => {
                Kind::Record(self.record(schema, path, depth + 1)?)
            }
            _ => Kind::Opaque,
        };
        Ok((kind, nullable))
    }

    fn count(&mut self, above: &str, name: &str) -> Result<(), ShapeError> {
        if name.len() > limits::PROPERTY_NAME_BYTES_MAX {
            return Err(ShapeError::NameTooLong { path: above.to_owned() });
        }
        self.properties += 1;
        if self.properties > limits::SHAPE_PROPERTIES_MAX { Err(ShapeError::TooManyProperties) } else { Ok(()) }
    }
}

/// Whether members that are not described are welcome. JSON Schema's own default is yes; ours is no, because a member that no
/// schema describes is one that no policy can have considered.
fn is_open(schema: &Map<String, Value>) -> bool {
    let additional = matches!(schema.get("additionalProperties"), Some(Value::Bool(true) | Value::Object(_)));
    additional || matches!(schema.get("patternProperties"), Some(Value::Object(patterns)) if !patterns.is_empty())
}

/// Whether an object has named members; one without is a map, and Cedar has no maps.
fn has_members(schema: &Map<String, Value>) -> bool {
    let described = matches!(schema.get("properties"), Some(Value::Object(properties)) if !properties.is_empty());
    described || schema.get("additionalProperties") == Some(&Value::Bool(false)) && !is_open(schema)
}

/// The one type that the schema allows, and whether it allows `null` beside it.
fn single_type(schema: &Map<String, Value>) -> Option<(&str, bool)> {
    let words: Vec<&str> = match schema.get("type") {
        Some(Value::String(word)) => vec![word],
        Some(Value::Array(words)) => words.iter().map(Value::as_str).collect::<Option<_>>()?,
        Some(_) => return None,
        None => return implied_type(schema),
    };
    let mut types = words.iter().copied().filter(|word| *word != "null");
    let single = types.next().filter(|_| types.next().is_none())?;
    Some((single, words.contains(&"null")))
}

/// The type where the schema has no `type`, but says it otherwise.
fn implied_type(schema: &Map<String, Value>) -> Option<(&str, bool)> {
    if schema.contains_key("properties") {
        return Some(("object", false));
    }
    let values = match (schema.get("enum"), schema.get("const")) {
        (Some(Value::Array(values)), _) => values.as_slice(),
        (None, Some(value)) => std::slice::from_ref(value),
        _ => return None,
    };
    let texts = values.iter().any(Value::is_string) && values.iter().all(|value| value.is_string() || value.is_null());
    texts.then(|| ("string", values.iter().any(Value::is_null)))
}

/// The schema beside `null`, where the schema is any (or one) of exactly those two.
fn or_null(schema: &Map<String, Value>) -> Option<&Value> {
    let Some(Value::Array(choices)) = schema.get("anyOf").or_else(|| schema.get("oneOf")) else { return None };
    let is_null = |choice: &Value| choice.get("type").and_then(Value::as_str) == Some("null");
    match choices.as_slice() {
        [one, other] if is_null(other) && !is_null(one) => Some(one),
        [one, other] if is_null(one) && !is_null(other) => Some(other),
        _ => None,
    }
}

/// The scalar that all elements of an array have.
fn element(schema: &Map<String, Value>) -> Option<Scalar> {
    if schema.contains_key("prefixItems") {
        return None;
    }
    match single_type(schema.get("items")?.as_object()?)? {
        (word, false) => Scalar::from_word(word),
        (_, true) => None,
    }
}
