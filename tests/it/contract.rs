//! The API against its own document: schemathesis (<https://schemathesis.readthedocs.io>) makes requests that the document allows,
//! and others, and finds no 5xx, no answer that the document does not know, and none of another shape.

use std::process::Command;

use vendorbridge_testkit::cloud::{LINE, LINE_ROLE, project};

use crate::stage;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_does_what_its_document_says() {
    let world = stage::world("contract", |options| {
        options.park_base_seconds = 1;
        options.vendors = vec!["discovery".to_owned()];
        options.ingest = true;
        options.calls_per_10_seconds = Some(10_000);
    })
    .await;
    let caller = world.line_caller(LINE_ROLE).await.unwrap();
    // schemathesis cannot sign: it talks to a gate that does.
    let url = world.line_gate(&caller).unwrap().serve().await.unwrap();
    // Only one line is the caller's; with any other it would meet nothing but 403.
    let config = world.folder.join("schemathesis.toml");
    std::fs::write(
        &config,
        format!("[parameters]\n\"path.line\" = \"{LINE}\"\n\"query.line\" = \"{LINE}\"\n"),
    )
    .unwrap();
    let program = project().join(".venv/contract/bin/schemathesis");
    let mut command = Command::new(&program);
    command
        .args(["--config-file", &config.display().to_string()])
        .args(["run", &format!("{url}/v1/openapi.json"), "--url", &url])
        .args([
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "40",
            "--seed",
            "7",
        ])
        .args(["--checks", "all"])
        // The gate signs whatever comes; a line may not change what it never sent; and to a method that no route has the
        // gateway says 404.
        .args([
            "--exclude-checks",
            "ignored_auth,positive_data_acceptance,unsupported_method",
        ])
        .args(["--exclude-path", "/v1/events/sapb1"])
        .args([
            "--header",
            "Prefer: respond-async",
            "--request-timeout",
            "30",
            "--no-color",
        ])
        .current_dir(&world.folder);
    let output = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap();
    let output = output.unwrap_or_else(|error| panic!("{} (run `make setup`): {error}", program.display()));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let summary: Vec<_> = said.lines().rev().take(12).collect();
    eprintln!(
        "figures: {}",
        summary.into_iter().rev().collect::<Vec<_>>().join(" | ")
    );
    stage::end(world).await;
}
