//! vestibule: a self-hosted access plane that speaks AWS's protocols. This crate is the binary:
//! listener, front door, command line, configuration.
//!
//! `cli` parses the command line; `vestibule up` ([`cli::up`]) opens an [`installation`], stands
//! a [`front`] door before it and lets the [`listen`]er serve.

pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod data;
pub mod front;
pub mod installation;
pub mod issuer;
pub mod listen;
pub mod master_key;
pub mod operator;
pub mod seed;
pub mod telemetry;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    cli::main()
}
