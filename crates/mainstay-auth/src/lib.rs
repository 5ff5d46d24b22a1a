//! Who is calling: a token to a caller.
