//! Counts work while this crate's own tests run, so that they can show that it grows no faster than
//! the input. Does nothing otherwise.

#[cfg(test)]
thread_local! {
    static DONE: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Adds bytes that were looked at, or entries of a table.
#[inline(always)]
pub(crate) fn count(_amount: usize) {
    #[cfg(test)]
    DONE.set(DONE.get() + _amount as u64);
}

/// The work of this thread since it was last asked.
#[cfg(test)]
pub(crate) fn done() -> u64 {
    DONE.take()
}
