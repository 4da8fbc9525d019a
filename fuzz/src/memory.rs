//! Counts the bytes that a thread allocates from Rust, to hold what a parser may cost.
//!
//! Memory that C libraries allocate (zstd, liblzma) is not counted here; libFuzzer's
//! `-rss_limit_mb` and the tests of `kmodule` hold that.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator with a count for each thread. A program makes it its own with
/// `#[global_allocator]`.
pub struct CountingAllocator;

thread_local! {
    // What is freed on another thread than it was allocated on makes this negative there.
    static NOW: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

/// What `work` gives, and the most bytes that this thread had allocated meanwhile, beyond what it
/// had before. Without [`CountingAllocator`] that is always 0.
pub fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = NOW.get();
    PEAK.set(before);
    let done = work();
    let peak = PEAK.get().saturating_sub(before);
    (done, usize::try_from(peak).unwrap_or_default())
}

fn count(freed: usize, allocated: usize) {
    // Threads that end free memory when their counters are gone.
    let _ = NOW.try_with(|now| {
        let sum = now.get() + allocated as isize - freed as isize;
        now.set(sum);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(sum)));
    });
}

// SAFETY: every call is passed on as it is; counting allocates nothing.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(0, layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(0, layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new exist at once, unless the system can grow it in place.
        count(0, size);
        count(layout.size(), 0);
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(layout.size(), 0);
        unsafe { System.dealloc(memory, layout) }
    }
}
