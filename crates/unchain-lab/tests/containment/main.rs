//! Stories that are played in the lab and then contained: the plan is made from the delivered logs and the accounts as
//! they are read, it is carried out by signed calls, and the lab is the referee who says what still works.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

mod actuator;
mod answer;
mod apply;
mod attacker;
mod left_out;
mod probe;
mod race;
mod removal;
mod scene;
mod stories;
