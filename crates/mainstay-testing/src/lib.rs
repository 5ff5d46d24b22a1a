//! Starts a server on a fresh database, seeds it, acts as a caller.
