//! Temporary credentials in the lab: who gets them, for how long, and what they may do.

mod chain;
mod desk;
mod enforce;
mod federation;
mod limits;
mod organization;
mod recorded;
