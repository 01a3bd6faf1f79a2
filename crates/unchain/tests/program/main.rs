//! The built program, from the outside: arguments and files in, output, words and exit code out.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail where the test should, and a skipped test says so"
)]

mod apply;
#[path = "../page/browser.rs"]
#[expect(dead_code, reason = "tests with a lab send forms")]
mod browser;
mod case;
mod common;
mod contain;
mod findings;
mod graph;
mod hostile;
#[path = "../../../unchain-web/tests/web/html.rs"]
mod html;
mod output;
mod page;
mod queries;
mod readme;
mod report;
mod served;
mod sigma;
mod trouble;
mod truth;
mod verify;
