//! `vendorbridge send`.

use serde::Serialize;

use crate::args::{Global, Send};
use crate::publish::{self, Draft};
use crate::session::Session;
use crate::{CliError, output};

/// One sent event, as `send --json` prints it in an array.
#[derive(Debug, Serialize)]
struct Sent<'a> {
    /// The file it stood in.
    file: &'a str,
    /// What kind of event it is.
    detail_type: &'a str,
    /// The id that the bus gave it; null with `--dry-run`.
    event_id: Option<&'a str>,
}

/// Checks all files, then sends their events.
///
/// # Errors
/// If a file is not as expected (nothing was sent then), or the bus does not take everything.
pub async fn run(global: &Global, options: &Send) -> Result<String, CliError> {
    let mut drafts = Vec::new();
    for file in &options.files {
        drafts.extend(publish::read(file)?);
    }
    let ids = if options.dry_run {
        None
    } else {
        let session = Session::open(global).await?;
        let bus = &session.deployment.bus;
        Some(publish::publish(&session.eventbridge(), bus, &drafts).await?)
    };
    render(global, &drafts, ids.as_deref())
}

fn render(global: &Global, drafts: &[Draft], ids: Option<&[String]>) -> Result<String, CliError> {
    let sent = drafts.iter().enumerate().map(|(index, draft)| Sent {
        file: &draft.file,
        detail_type: &draft.detail_type,
        event_id: ids.and_then(|ids| ids.get(index)).map(String::as_str),
    });
    if global.json {
        return output::json(&sent.collect::<Vec<_>>());
    }
    let mut table = output::table(&["file", "detail type", "event id"], global.width);
    table.add_rows(sent.map(|sent| [sent.file, sent.detail_type, output::or_dash(sent.event_id)]));
    let mut text = output::lines(&table);
    if ids.is_none() {
        text.push_str("dry run: nothing was sent\n");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"source": "infoservice", "detail-type": "Changed", "detail": {}}"#;

    fn global(json: bool) -> Global {
        Global {
            stack: "s".into(),
            json,
            width: 80,
        }
    }

    #[test]
    fn the_table_names_file_type_and_id() {
        let drafts = publish::parse("a.json", FILE.as_bytes()).unwrap();
        let text = render(&global(false), &drafts, Some(&["id-1".to_owned()])).unwrap();
        let row = text.lines().find(|line| line.contains("a.json")).unwrap();
        assert_eq!(
            row.split_whitespace().collect::<Vec<_>>(),
            ["a.json", "Changed", "id-1"]
        );
        let dry = render(&global(false), &drafts, None).unwrap();
        assert!(dry.ends_with("nothing was sent\n"), "{dry}");
    }

    #[test]
    fn json_has_stable_names() {
        let drafts = publish::parse("a.json", FILE.as_bytes()).unwrap();
        let json: serde_json::Value =
            serde_json::from_str(&render(&global(true), &drafts, None).unwrap()).unwrap();
        let expected = serde_json::json!([{"file": "a.json", "detail_type": "Changed", "event_id": null}]);
        assert_eq!(json, expected);
    }
}
