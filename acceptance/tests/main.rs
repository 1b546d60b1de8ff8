//! The acceptance tests: the real binary, real clients, a real identity provider.

#[cfg(test)]
mod provider;
