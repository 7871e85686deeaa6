//! Pools with real threads.
