//! The rules in a shape's file.

use std::collections::BTreeMap;

use super::ShapeError;
use super::at::At;
use crate::lines::reader::Reader;
use crate::lines::rule::{Each, Part, Path, Piece, Rule};

impl<'a> At<'a> {
    pub(super) fn path(&self) -> Result<Path, ShapeError> {
        let path = Path::parse(self.text()?);
        let path = path.ok_or_else(|| self.wrong("a JSON Pointer, or one that begins with a dot"))?;
        if path.is_of_item() && !self.is_in_item {
            return Err(
                self.wrong("a JSON Pointer: one that begins with a dot is for what is done with `each` item")
            );
        }
        Ok(path)
    }

    /// A pointer, or a list of them.
    fn paths(&self) -> Result<Vec<Path>, ShapeError> {
        if self.value.is_array() {
            return self.items()?.iter().map(Self::path).collect();
        }
        Ok(vec![self.path()?])
    }

    pub(super) fn each(&self) -> Result<Each, ShapeError> {
        let required = if self.has("required") {
            Some(self.member("required")?.text()?.to_owned())
        } else {
            None
        };
        Ok(Each {
            from: self.member("each")?.paths()?,
            required,
        })
    }

    /// `open`: the named rules that this one is in.
    pub(super) fn rule(&self, open: &mut Vec<&'a str>) -> Result<Rule, ShapeError> {
        if self.value.is_string() {
            return Ok(Rule::Copy {
                from: self.path()?,
                except: Vec::new(),
                with: BTreeMap::new(),
            });
        }
        let forms = ["copy", "from", "set", "list", "each", "html", "rule"];
        match forms.into_iter().find(|form| self.has(form)) {
            Some("copy") => {
                self.members(&["copy"], &["except", "with"])?;
                let except = if self.has("except") {
                    self.member("except")?.items()?
                } else {
                    Vec::new()
                };
                let except = except
                    .iter()
                    .map(|at| at.text().map(str::to_owned))
                    .collect::<Result<_, _>>()?;
                let with = if self.has("with") {
                    self.member("with")?.each_member(|at| at.rule(open))?
                } else {
                    BTreeMap::new()
                };
                Ok(Rule::Copy {
                    from: self.member("copy")?.path()?,
                    except,
                    with,
                })
            }
            Some("from") => Ok(Rule::Read {
                from: self.member("from")?.paths()?,
                reader: self.reader()?,
            }),
            Some("set") => {
                self.members(&["set"], &[])?;
                Ok(Rule::Set(self.member("set")?.each_member(|at| at.rule(open))?))
            }
            Some("list") => {
                self.members(&["list"], &[])?;
                let items = self.member("list")?.items()?;
                Ok(Rule::List(
                    items.iter().map(|at| at.rule(open)).collect::<Result<_, _>>()?,
                ))
            }
            Some("each") => {
                self.members(&["each", "item"], &["key", "required"])?;
                let inner = Self {
                    is_in_item: true,
                    ..self.clone()
                };
                Ok(Rule::Each {
                    each: self.each()?,
                    key: if self.has("key") {
                        Some(inner.member("key")?.path()?)
                    } else {
                        None
                    },
                    item: Box::new(inner.member("item")?.rule(open)?),
                })
            }
            Some("html") => {
                self.members(&["html"], &[])?;
                Ok(Rule::Html(self.member("html")?.pieces()?))
            }
            Some(_) => self.named(open),
            None => Err(self.wrong(&format!(
                "a pointer, or an object with one of `{}`",
                forms.join("`, `")
            ))),
        }
    }

    /// The rule that is named here.
    fn named(&self, open: &mut Vec<&'a str>) -> Result<Rule, ShapeError> {
        self.members(&["rule"], &[])?;
        let at = self.member("rule")?;
        let name = at.text()?;
        let value = self.file.rules.and_then(|rules| rules.get(name));
        let value = value.ok_or_else(|| at.wrong("the name of one of this file's `rules`"))?;
        if open.contains(&name) {
            return Err(at.wrong("a rule that this one is not a part of"));
        }
        let rules = Self {
            pointer: "/rules".to_owned(),
            ..self.clone()
        };
        open.push(name);
        let rule = rules.below(name, value).rule(open);
        open.pop();
        rule
    }

    fn reader(&self) -> Result<Reader, ShapeError> {
        if self.has("choices") {
            self.members(&["from", "choices"], &[])?;
            return Ok(Reader::Choices(
                self.member("choices")?.each_member(|at| Ok(at.value.clone()))?,
            ));
        }
        self.members(&["from", "as"], &[])?;
        let at = self.member("as")?;
        let name = at.text()?;
        let named = Reader::NAMED.into_iter().find(|(known, _)| *known == name);
        let all = Reader::NAMED.map(|(name, _)| name).join("`, `");
        Ok(named.ok_or_else(|| at.wrong(&format!("one of `{all}`")))?.1)
    }

    fn pieces(&self) -> Result<Vec<Piece>, ShapeError> {
        self.items()?.iter().map(Self::piece).collect()
    }

    fn piece(&self) -> Result<Piece, ShapeError> {
        if self.value.is_object() {
            self.members(&["each", "html"], &[])?;
            let inner = Self {
                is_in_item: true,
                ..self.clone()
            };
            return Ok(Piece::Each(self.each()?, inner.member("html")?.pieces()?));
        }
        let mut parts = Vec::new();
        let mut rest = self.text()?;
        while let Some((literal, more)) = rest.split_once('{') {
            let (path, after) = more
                .split_once('}')
                .ok_or_else(|| self.wrong("a `}` for each `{`"))?;
            let path = Path::parse(path).filter(|path| self.is_in_item || !path.is_of_item());
            parts.push(Part::Literal(literal.to_owned()));
            parts.push(Part::From(
                path.ok_or_else(|| self.wrong("a pointer between `{` and `}`"))?,
            ));
            rest = after;
        }
        parts.push(Part::Literal(rest.to_owned()));
        Ok(Piece::Text(parts))
    }
}
