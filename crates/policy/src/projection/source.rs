//! A projection against a schema: where its value comes from, and of what type it is.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::path::{Path, Step};
use super::{Function, Projection, ProjectionError};
use crate::nearest::nearest;
use crate::shape::Scalar;
use crate::{ArgumentError, limits};

/// A projection whose path has been found in the schema of the arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Drawn {
    projection: Projection,
    hops: Vec<Hop>,
    scalar: Scalar,
    /// Whether an amount is counted in hundredths.
    hundredths: bool,
}

/// One step of the path, with what the schema says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Hop {
    Member {
        name: String,
        /// Whether the schema lets it be left out, or be `null`.
        may_lack: bool,
    },
    Items {
        /// Whether one item may stand in place of the list.
        single: bool,
    },
}

/// One thing that the schema lets a value be.
#[derive(Clone, Copy)]
struct Choice<'a> {
    word: &'a str,
    schema: &'a Map<String, Value>,
}

impl Drawn {
    /// Follows the path of `projection` through `schema`.
    pub(super) fn from_schema(projection: &Projection, schema: &Value) -> Result<Self, ProjectionError> {
        let reader = Reader { root: schema };
        let mut choices = reader.choices(schema);
        let mut hops = Vec::new();
        for (index, step) in projection.path.0.iter().enumerate() {
            let (hop, next) = match step {
                Step::Member(name) => reader.member(&choices, name).ok_or_else(|| ProjectionError::Unknown {
                    name: projection.name.clone(),
                    path: projection.path.up_to(index),
                    suggestion: nearest(name, names(&choices)).map(|near| projection.path.with_last(index, near)),
                    known: known_beside(&projection.path, index, &choices),
                })?,
                Step::Items => reader.items(&choices).ok_or_else(|| ProjectionError::Type {
                    name: projection.name.clone(),
                    function: projection.function,
                    path: projection.path.up_to(index.saturating_sub(1)),
                    expected: "a list",
                })?,
            };
            hops.push(hop);
            choices = next;
        }
        let (scalar, hundredths) = result(projection.function, &choices).map_err(|expected| ProjectionError::Type {
            name: projection.name.clone(),
            function: projection.function,
            path: projection.path.to_string(),
            expected,
        })?;
        Ok(Self { projection: projection.clone(), hops, scalar, hundredths })
    }

    pub(crate) fn name(&self) -> &str {
        &self.projection.name
    }

    pub(crate) fn path(&self) -> String {
        self.projection.path.to_string()
    }

    pub(crate) fn scalar(&self) -> Scalar {
        self.scalar
    }

    /// Whether it gives a set: one value for each item of a list.
    pub(crate) fn is_set(&self) -> bool {
        self.hops.iter().any(|hop| matches!(hop, Hop::Items { .. }))
    }

    /// Whether it gives nothing for some arguments that fit.
    pub(crate) fn is_optional(&self) -> bool {
        let before_items = self.hops.iter().take_while(|hop| !matches!(hop, Hop::Items { .. }));
        before_items.into_iter().any(|hop| matches!(hop, Hop::Member { may_lack: true, .. }))
    }

    /// The value (for a set, an array) that it gives for `arguments`; nothing if what it reads is left out.
    pub(crate) fn draw(&self, arguments: &Value) -> Result<Option<Value>, ArgumentError> {
        let refused =
            |problem| ArgumentError::Projection { path: self.path(), projection: self.name().to_owned(), problem };
        let mut found = Vec::new();
        follow(&self.hops, arguments, &mut found).map_err(refused)?;
        if !self.is_set() {
            let value = found.first().map(|value| self.projection.function.apply(value, self.hundredths));
            return value.transpose().map_err(refused);
        }
        let before_items = self.hops.iter().position(|hop| matches!(hop, Hop::Items { .. })).unwrap_or_default();
        let mut list = Vec::new();
        follow(self.hops.get(..before_items).unwrap_or_default(), arguments, &mut list).map_err(refused)?;
        if list.is_empty() {
            return Ok(None);
        }
        let values = found.iter().map(|value| self.projection.function.apply(value, self.hundredths));
        values.collect::<Result<Vec<_>, _>>().map(|values| Some(Value::Array(values))).map_err(refused)
    }
}

/// Collects what lies at the end of `hops`.
fn follow<'v>(hops: &[Hop], value: &'v Value, found: &mut Vec<&'v Value>) -> Result<(), &'static str> {
    let Some((hop, rest)) = hops.split_first() else {
        if found.len() >= limits::ARGUMENT_VALUES_MAX {
            return Err("holds too many values");
        }
        found.push(value);
        return Ok(());
    };
    match (hop, value) {
        (Hop::Member { name, may_lack }, Value::Object(members)) => match members.get(name) {
            None | Some(Value::Null) if *may_lack => Ok(()),
            None | Some(Value::Null) => Err("is missing"),
            Some(value) => follow(rest, value, found),
        },
        (Hop::Member { .. }, _) => Err("lies in what is not an object"),
        (Hop::Items { .. }, Value::Array(items)) => items.iter().try_for_each(|item| follow(rest, item, found)),
        (Hop::Items { single: true }, Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Object(_)) => {
            follow(rest, value, found)
        }
        (Hop::Items { .. }, _) => Err("is not a list"),
    }
}

/// The type of what `function` gives, and whether an amount is in hundredths; or what it would have to be applied to.
fn result(function: Function, choices: &[Choice<'_>]) -> Result<(Scalar, bool), &'static str> {
    let can_be = |word: &str| choices.iter().any(|choice| choice.word == word);
    let need = |fits: bool, scalar, expected| if fits { Ok((scalar, false)) } else { Err(expected) };
    match function {
        Function::Value => {
            let mut scalars = choices.iter().filter(|choice| choice.word != "null").map(|choice| choice.word);
            let first = scalars.next().unwrap_or_default();
            match Scalar::from_word(first).filter(|_| scalars.all(|word| word == first)) {
                Some(scalar) => Ok((scalar, false)),
                None => Err("of one type: a text, a number, or true or false"),
            }
        }
        Function::Count => need(can_be("array"), Scalar::Long, "a list"),
        Function::Amount => match (can_be("number") || can_be("string"), can_be("integer")) {
            (true, _) => Ok((Scalar::Long, true)),
            (false, true) => Ok((Scalar::Long, false)),
            (false, false) => Err("a number"),
        },
        Function::EmailDomain | Function::UrlHost | Function::Path | Function::SqlVerb | Function::Lower => {
            need(can_be("string"), Scalar::String, "a text")
        }
    }
}

fn names<'a>(choices: &[Choice<'a>]) -> impl Iterator<Item = &'a str> {
    let properties = choices.iter().filter_map(|choice| choice.schema.get("properties")?.as_object());
    properties.flat_map(|properties| properties.keys().map(String::as_str))
}

/// What could stand at the step `index` of `path`, each as a whole path. Names that nobody would type are left out.
fn known_beside(path: &Path, index: usize, choices: &[Choice<'_>]) -> Vec<String> {
    let names: BTreeSet<&str> = names(choices).filter(|name| name.len() <= limits::PROJECTION_NAME_BYTES_MAX).collect();
    names.into_iter().take(limits::ARGUMENTS_NAMED_MAX).map(|name| path.with_last(index, name)).collect()
}

struct Reader<'a> {
    root: &'a Value,
}

impl<'a> Reader<'a> {
    fn member(&self, choices: &[Choice<'a>], name: &str) -> Option<(Hop, Vec<Choice<'a>>)> {
        let objects = || choices.iter().filter(|choice| choice.word == "object").map(|choice| choice.schema);
        let property = |object: &'a Map<String, Value>| object.get("properties")?.get(name);
        let next: Vec<Choice<'a>> = objects().filter_map(property).flat_map(|schema| self.choices(schema)).collect();
        objects().find_map(property)?;
        let requires = |object: &Map<String, Value>| {
            object.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|one| one == name))
        };
        let may_lack = !objects().all(requires) || next.iter().any(|choice| choice.word == "null");
        Some((Hop::Member { name: name.to_owned(), may_lack }, next))
    }

    fn items(&self, choices: &[Choice<'a>]) -> Option<(Hop, Vec<Choice<'a>>)> {
        let mut next = Vec::new();
        let (mut lists, mut single) = (false, false);
        for choice in choices {
            match choice.word {
                "array" => {
                    lists = true;
                    next.extend(choice.schema.get("items").map(|items| self.choices(items)).unwrap_or_default());
                }
                "null" => {}
                _ => {
                    single = true;
                    next.push(*choice);
                }
            }
        }
        lists.then_some((Hop::Items { single }, next))
    }

    fn choices(&self, schema: &'a Value) -> Vec<Choice<'a>> {
        let mut choices = Vec::new();
        self.collect(schema, 0, &mut choices);
        choices
    }

    /// Everything that `schema` lets a value be. What is too deep or too much to follow counts as nothing, and so fits nowhere.
    fn collect(&self, schema: &'a Value, depth: usize, choices: &mut Vec<Choice<'a>>) {
        let Value::Object(schema) = schema else { return };
        if depth > limits::SHAPE_DEPTH_MAX || choices.len() > limits::PROJECTION_CHOICES_MAX {
            return;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#')) {
            if let Some(target) = self.root.pointer(target) {
                self.collect(target, depth + 1, choices);
            }
            return;
        }
        if let Some(Value::Array(any)) = schema.get("anyOf").or_else(|| schema.get("oneOf")) {
            any.iter().for_each(|one| self.collect(one, depth + 1, choices));
            return;
        }
        let mut add = |word| choices.push(Choice { word, schema });
        match schema.get("type") {
            Some(Value::String(word)) => add(word),
            Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).for_each(add),
            _ if schema.contains_key("properties") => add("object"),
            _ if schema.contains_key("items") => add("array"),
            _ => match schema.get("enum").and_then(Value::as_array) {
                Some(values) if values.iter().all(Value::is_string) => add("string"),
                _ => {}
            },
        }
    }
}
