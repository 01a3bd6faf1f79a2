//! Debug output that says which one a thing is and leaves out what is secret in it: keys, tokens, passwords, bodies.

/// Implements `Debug` with the named fields only.
macro_rules! shown {
    ($type:ty: $($field:ident),*) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.debug_struct(stringify!($type))
                    $(.field(stringify!($field), &self.$field))*
                    .finish_non_exhaustive()
            }
        }
    };
}
