//! unchain
fn main() {}
