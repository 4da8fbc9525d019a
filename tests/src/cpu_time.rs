//! Measures the processor time that work takes, which a busy machine does not make longer.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What `work` gives, and the processor time that this thread took for it.
pub fn cpu_time<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let before = now();
    let done = work();
    (done, now().saturating_sub(before))
}

fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanoseconds)
}
