//! The acceptance tests: the real binary, real clients, a real identity provider.

#[cfg(test)]
mod abac;
#[cfg(test)]
mod accounts;
#[cfg(test)]
mod ansible;
#[cfg(test)]
mod aws_cli;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod log_book;
#[cfg(test)]
mod mfa;
#[cfg(test)]
mod outbound;
#[cfg(test)]
mod provider;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod saml;
#[cfg(test)]
mod server;
#[cfg(test)]
mod set_up;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod terraform;
#[cfg(test)]
mod trust_anchor;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod written;
