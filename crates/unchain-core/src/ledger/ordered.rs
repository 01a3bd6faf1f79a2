//! Rows in the order of a few of their numbers, without moving the rows: one word a row, so that sorting
//! compares without branches and touches nothing else.

/// A word for each row: its three numbers, then its place. Ascending.
pub(super) fn ordered(rows: impl Iterator<Item = [u32; 3]>) -> Vec<u128> {
    let word = |([a, b, c], place): ([u32; 3], u32)| {
        [a, b, c, place]
            .iter()
            .fold(0u128, |word, &part| word << 32 | u128::from(part))
    };
    let mut order: Vec<u128> = rows.zip(0u32..).map(word).collect();
    order.sort_unstable();
    order
}

/// The words of rows with equal numbers, together.
pub(super) fn alike(order: &[u128]) -> impl Iterator<Item = &[u128]> {
    order.chunk_by(|a, b| a >> 32 == b >> 32)
}

/// The rows that words stand for.
pub(super) fn rows_of<'r, T>(words: &[u128], rows: &'r [T]) -> impl Iterator<Item = &'r T> {
    let place = |word: &u128| usize::try_from(word & u128::from(u32::MAX)).ok();
    words.iter().filter_map(move |word| rows.get(place(word)?))
}
