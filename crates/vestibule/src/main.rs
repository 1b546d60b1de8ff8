//! vestibule: a self-hosted access plane that speaks AWS's protocols. This crate is the binary:
//! listener, front door, command line, configuration.

pub mod clock;
pub mod config;
pub mod data;
pub mod listen;

fn main() {}
