//! Whole clusters in one process, on loopback.
