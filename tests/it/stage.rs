//! A world that goes with its test.

use std::path::PathBuf;

use vendorbridge_testkit::cloud::{World, WorldOptions};

/// Starts a world of this test's own. What a run before left is removed.
pub(crate) async fn world(name: &str, adjust: impl FnOnce(&mut WorldOptions)) -> World {
    let mut options = WorldOptions::new(&format!("test-{name}-{}", std::process::id()));
    adjust(&mut options);
    match World::start(options, &|_| {}).await {
        Ok(world) => world,
        Err(error) => panic!("{error}"),
    }
}

/// Ends a world; its folder goes too. A failed test leaves its folder, with the emulator's log.
pub(crate) async fn end(world: World) {
    let folder: PathBuf = world.folder.clone();
    world.stop().await;
    let _ = std::fs::remove_dir_all(folder);
}
