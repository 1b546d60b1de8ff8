//! Realistic tokens from profiles (data files), for tests and demonstrations.
