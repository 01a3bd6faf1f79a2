//! unchain-trail
