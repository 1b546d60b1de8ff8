//! vestibule: a self-hosted access plane that speaks AWS's protocols. This crate is the binary:
//! listener, front door, command line, configuration.

pub mod clock;
pub mod config;
pub mod data;
pub mod front;
pub mod issuer;
pub mod listen;
pub mod telemetry;

fn main() {}
