//! A place in a shape's file, with what is asked of it everywhere.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::ShapeError;
use crate::lines::violation::escaped;

/// A place in the file.
#[derive(Clone)]
pub(super) struct At<'a> {
    pub(super) file: &'a File<'a>,
    pub(super) pointer: String,
    pub(super) value: &'a Value,
    /// Whether pointers may begin with a dot.
    pub(super) is_in_item: bool,
}

/// The file, for what is read in many places of it.
pub(super) struct File<'a> {
    pub(super) name: &'a str,
    pub(super) rules: Option<&'a Value>,
    pub(super) definitions: Option<&'a Value>,
}

impl<'a> At<'a> {
    pub(super) fn failed(&self, expected: &str, found: impl Into<String>) -> ShapeError {
        ShapeError {
            file: self.file.name.to_owned(),
            pointer: self.pointer.clone(),
            expected: expected.to_owned(),
            found: found.into(),
        }
    }

    pub(super) fn wrong(&self, expected: &str) -> ShapeError {
        let shown: String = self.value.to_string().chars().take(60).collect();
        self.failed(expected, shown)
    }

    pub(super) fn object(&self) -> Result<&'a Map<String, Value>, ShapeError> {
        self.value.as_object().ok_or_else(|| self.wrong("an object"))
    }

    pub(super) fn text(&self) -> Result<&'a str, ShapeError> {
        self.value.as_str().ok_or_else(|| self.wrong("a text"))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.value.get(name).is_some()
    }

    pub(super) fn below(&self, token: &str, value: &'a Value) -> Self {
        let pointer = format!("{}/{}", self.pointer, escaped(token));
        Self {
            pointer,
            value,
            ..self.clone()
        }
    }

    pub(super) fn member(&self, name: &str) -> Result<Self, ShapeError> {
        let value = self.object()?.get(name);
        let value = value.ok_or_else(|| self.failed(&format!("a member `{name}`"), "none"))?;
        Ok(self.below(name, value))
    }

    pub(super) fn items(&self) -> Result<Vec<Self>, ShapeError> {
        let items = self.value.as_array().ok_or_else(|| self.wrong("a list"))?;
        Ok((0_usize..)
            .zip(items)
            .map(|(at, item)| self.below(&at.to_string(), item))
            .collect())
    }

    /// It is an object with these members and no others.
    pub(super) fn members(&self, required: &[&str], optional: &[&str]) -> Result<(), ShapeError> {
        for name in required {
            self.member(name)?;
        }
        for (name, value) in self.object()? {
            if !required.contains(&name.as_str()) && !optional.contains(&name.as_str()) {
                let known = [required, optional].concat().join("`, `");
                return Err(self
                    .below(name, value)
                    .failed(&format!("one of `{known}`"), name.as_str()));
            }
        }
        Ok(())
    }

    /// The values of an object, each read.
    pub(super) fn each_member<T>(
        &self,
        mut read: impl FnMut(&Self) -> Result<T, ShapeError>,
    ) -> Result<BTreeMap<String, T>, ShapeError> {
        let members = self.object()?.iter();
        members
            .map(|(name, value)| Ok((name.clone(), read(&self.below(name, value))?)))
            .collect()
    }
}
