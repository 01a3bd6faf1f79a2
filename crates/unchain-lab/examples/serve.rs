//! Serves an empty lab on a port, for clients by hand: `cargo run -p unchain-lab --example serve -- 4566 [STATE]`.

#![expect(clippy::print_stdout, reason = "an example says where it listens")]

use std::path::Path;
use std::sync::Arc;

use unchain_core::time::Timestamp;
use unchain_lab::Lab;
use unchain_lab::server::{Reach, Server, loopback};
use unchain_lab::state::Folder;
use unchain_lab::world::{Settings, World};

fn clock() -> Timestamp {
    Timestamp::from_seconds(jiff::Timestamp::now().as_second())
}

fn new_world() -> World {
    let mut world = World::new(1, Settings::default());
    world.now = clock().seconds();
    let key = (
        "AKIAIOSFODNN7EXAMPLE".to_owned(),
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
    );
    world.add_account_with_key("111122223333", "lab", key);
    world
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().map_or(Ok(0), |port| port.parse())?;
    let state = arguments
        .next()
        .map(|path| Folder::open(Path::new(&path)))
        .transpose()?;
    let world = match &state {
        Some(folder) => folder.world(new_world)?,
        None => new_world(),
    };
    let lab = Arc::new(Lab::new(world));
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = loopback(port).await?;
        println!("http://{}", listener.local_addr()?);
        let server = Server {
            lab,
            clock,
            state,
            reach: Reach::Loopback,
        };
        let stop = async { drop(tokio::signal::ctrl_c().await) };
        server.serve(listener, stop).await?;
        Ok(())
    })
}
