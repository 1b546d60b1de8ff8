//! `corpus/tokens/oidc`: every hostile or broken token is refused for the stated reason, and its
//! twin, the same without the fault, is accepted.
//!
//! `cargo test -p claims --test token_corpus -- --ignored` writes the files that are missing
//! (delete a file to have it made anew).

#[cfg(test)]
mod build;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod run;
