//! Whole clusters in one process, on loopback, driven through their HTTP front.

mod bugs;
mod cluster;
mod modes;
mod table;
