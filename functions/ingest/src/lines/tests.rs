//! Every shape and every example of it.

mod examples;
mod limits;
mod properties;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

/// An event of a line, as in `lines/<shape>/examples`.
#[derive(Debug, Deserialize)]
struct Example {
    #[serde(skip)]
    shape: String,
    event: String,
    organizations: BTreeMap<String, String>,
    data: Value,
}

impl Example {
    fn of(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let example: Self = serde_json::from_str(&text).unwrap();
        let shape = path.ancestors().nth(2).and_then(Path::file_name).unwrap();
        let shape = shape.to_string_lossy().into_owned();
        Self { shape, ..example }
    }

    fn all() -> Vec<Self> {
        let folder = |path: &Path| -> io::Result<Vec<PathBuf>> {
            let mut paths: Vec<_> = fs::read_dir(path)?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<io::Result<_>>()?;
            paths.sort();
            Ok(paths)
        };
        let shapes = folder(Path::new("lines")).unwrap();
        let examples = shapes
            .iter()
            .filter(|path| path.is_dir())
            .flat_map(|path| folder(&path.join("examples")).unwrap());
        examples.map(|path| Self::of(&path)).collect()
    }

    fn line(&self) -> LineTerms {
        LineTerms {
            name: "acme".to_owned(),
            organizations: self.organizations.clone(),
        }
    }

    fn read(&self) -> Result<Vec<Change>, Refused> {
        shape(&self.shape).read(&self.event, &self.line(), &self.data)
    }
}

fn shape(name: &str) -> &'static Shape {
    Shapes::shipped().unwrap().get(name).unwrap()
}

/// A line of the canonical shape.
fn canonical(event: &str, data: &Value) -> Result<Vec<Change>, Refused> {
    let organizations = [("ACME".to_owned(), "ACME".to_owned())].into();
    let line = LineTerms {
        name: "acme".to_owned(),
        organizations,
    };
    shape(CANONICAL).read(event, &line, data)
}

fn course() -> Value {
    json!({ "id": "1", "number": "DM", "organization": "ACME", "title": "Digital Marketing" })
}
