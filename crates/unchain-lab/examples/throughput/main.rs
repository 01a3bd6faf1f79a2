//! Calls per second, and memory: `cargo run --release -p unchain-lab --example throughput -- [MODE] [CALLS]`.
//!
//! `loopback`, as clients see it: four connections that sign by hand, client and lab on one machine. `memory`: calls
//! in process, a second of the lab's time apart, whose records go to a folder; says what the process holds on the way.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

#[path = "../../tests/support/mod.rs"]
mod support;

mod calls;
mod loopback;
mod memory;

use unchain_lab::world::{Settings, World};

use support::Signer;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A world of one account, and its root key.
fn world() -> (World, Signer) {
    let mut world = World::new(1, Settings::default());
    let (key, secret) = world.add_account("111122223333", "lab");
    let root = Signer {
        key,
        secret,
        ..Signer::default()
    };
    (world, root)
}

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next();
    let calls = arguments.next().map(|text| text.parse()).transpose()?;
    match mode.as_deref() {
        None | Some("loopback") => loopback::measure(calls.unwrap_or(30_000)),
        Some("memory") => memory::measure(calls.unwrap_or(1_000_000)),
        Some(other) => {
            Err(format!("`{other}` is no mode\nhint: `loopback` and `memory` are").into())
        }
    }
}
