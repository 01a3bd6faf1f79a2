//! unchain-source
