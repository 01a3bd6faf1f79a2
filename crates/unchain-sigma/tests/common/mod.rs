//! Recorded trails for tests.

use std::path::{Path, PathBuf};
use unchain_core::event::Event;
use unchain_core::json::Node;
use unchain_source::{Files, Filter, Position, Reader, Sink, Source as _};

/// Where the recorded trails are, if anywhere.
pub(crate) fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("UNCHAIN_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: UNCHAIN_CORPUS is not set");
    }
    folder
}

struct Each<F>(F);

impl<F: FnMut(&Event<'_>, Node<'_>)> Sink for Each<F> {
    fn event(&mut self, _: &Event<'_>, _: Position) {}

    fn record(&mut self, event: &Event<'_>, record: Node<'_>, _: Position) {
        self.0(event, record);
    }
}

/// Every record below a folder.
pub(crate) fn each_record(folder: &Path, each: impl FnMut(&Event<'_>, Node<'_>)) {
    let files = Files::discover(&[folder], Filter::default()).unwrap();
    let mut reader = Reader::default();
    let mut each = Each(each);
    for unit in files.units().iter() {
        files.read(&unit, &mut reader, &mut each);
    }
}
