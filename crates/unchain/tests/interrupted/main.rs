//! The built program carries a plan out in a lab while everything goes wrong: it is killed at each request, answers fail
//! or never come, it is asked to stop. Whatever happens, the next run ends where an undisturbed one does, no change is
//! made twice, and undoing gives back what was there.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail where the test should"
)]

#[path = "../../../unchain-lab/tests/containment/answer.rs"]
#[expect(dead_code, reason = "the lab's own tests use the rest")]
mod answer;
#[path = "../page/browser.rs"]
mod browser;
mod disturbed;
mod front;
mod page;
#[path = "../../../unchain-lab/tests/containment/scene.rs"]
#[expect(dead_code, reason = "the lab's own tests use the rest")]
mod scene;
mod stage;
