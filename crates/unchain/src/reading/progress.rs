//! How far reading is: a bar on the terminal, fed once per file.

use crate::output::words::count;
use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Where reading reports to.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    events: Arc<AtomicU64>,
}

impl Progress {
    /// Shows nothing.
    pub(crate) fn hidden() -> Self {
        Self {
            bar: ProgressBar::hidden(),
            events: Arc::default(),
        }
    }

    /// A bar on standard error: bytes, events a second, time left.
    pub(crate) fn shown(bytes: u64) -> Self {
        let events = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&events);
        let rate = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let seconds = state.elapsed().as_millis().max(1);
            let rate = u128::from(counted.load(Relaxed)) * 1000 / seconds;
            // What a progress bar cannot show is not worth an error.
            let _ = write!(out, "{}", count(u64::try_from(rate).unwrap_or(u64::MAX)));
        };
        let template = "{bar:24} {bytes} of {total_bytes}, {rate} events/s, {eta} left";
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .with_key("rate", rate);
        let bar = ProgressBar::new(bytes).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, events }
    }

    /// A file was read.
    pub(crate) fn file(&self, bytes: u64, events: u64) {
        self.events.fetch_add(events, Relaxed);
        self.bar.inc(bytes);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
