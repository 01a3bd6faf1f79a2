//! The page through its router: who may ask, what is shown, and that text of a log stays text.

mod access;
mod common;
mod hostile;
mod inspect;
mod views;
