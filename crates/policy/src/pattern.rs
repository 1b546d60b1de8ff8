//! Globs and policy variables, compiled before substitution (spec A4, A5).
