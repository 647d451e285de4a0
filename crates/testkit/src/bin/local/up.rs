//! The same as the demo, and stays up.

use std::process::ExitCode;

use vendorbridge_testkit::cloud::{CloudError, Console, World, WorldOptions, project};

use crate::demo::{publish_samples, table};
use crate::expectation::seed;
use crate::products;
use crate::progress::Progress;

pub(crate) async fn run(options: WorldOptions) -> Result<ExitCode, CloudError> {
    let progress = Progress::new();
    let ours = options.endpoint.is_none();
    let world = World::start(options, &|step| progress.step(step)).await?;
    seed(&world.sandbox);
    let mut outcomes = publish_samples(&world, &progress).await?;
    let (products, told) = products::play(&world).await?;
    outcomes.extend(products);
    progress.done();
    println!("{}", table(&outcomes));
    println!("{}", products::table(&told));
    explain(&world);
    let console = Console::start(&world, &project().join("target/debug/vendorbridge")).await?;
    println!("Or look at everything in a browser; whoever has the address can act, so keep it to yourself:");
    println!();
    println!("  {}", console.url());
    println!();
    println!("Ctrl-C stops everything.");
    tokio::signal::ctrl_c().await.map_err(|source| CloudError::Io {
        what: "Ctrl-C".to_owned(),
        source,
    })?;
    console.stop().await;
    if !ours {
        progress.step("removing the stack");
        world.delete().await?;
    }
    progress.step("stopping");
    let folder = world.folder.clone();
    world.stop().await;
    let _ = std::fs::remove_dir_all(folder);
    progress.done();
    Ok(ExitCode::SUCCESS)
}

fn explain(world: &World) {
    let endpoint = world.aws.endpoint.as_deref().unwrap_or("https://aws.amazon.com");
    println!("cloud    {endpoint}");
    println!("sandbox  {}", world.sandbox.url());
    if let Some(emulator) = &world.emulator {
        println!("log      {}", emulator.log().display());
    }
    println!();
    println!("Change a customer, announce it, and look:");
    println!();
    println!(
        "  export AWS_ENDPOINT_URL={endpoint} AWS_REGION=us-east-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test"
    );
    println!("  export VENDORBRIDGE_STACK={}", world.stack.name);
    println!(
        "  curl -X PUT -H 'Authorization: Bearer {}' -H 'Content-Type: application/json' \\",
        world.sandbox.config().source_token
    );
    println!(
        "    -d '{{\"customerId\":\"c-4711\",\"channel\":\"PAPER\",\"email\":\"ada@lovelace.example\",\"firstName\":\"Ada\",\"lastName\":\"King\",\"language\":\"en\"}}' \\"
    );
    println!(
        "    {}/customers/c-4711/delivery-preference",
        world.sandbox.source_url()
    );
    println!(
        "  sed 's/\"version\": 12/\"version\": 13/' events/delivery-preference-updated.json | target/debug/vendorbridge send -"
    );
    println!("  target/debug/vendorbridge status --entity customer/c-4711");
    println!();
}
