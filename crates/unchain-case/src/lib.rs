//! unchain-case
