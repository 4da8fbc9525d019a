//! Checks each parser that reads bytes of others: what it makes of any input, and what that costs.
//!
//! A target is a function that panics where a promise is broken. libFuzzer calls it with the inputs
//! that it finds (`make fuzz`, one program for each target in `fuzz_targets/`). The tests call it
//! with seeds and a fixed sequence of changes to them (`tests/tests/fuzzing.rs`), so they need
//! neither a fuzzer nor another build.

mod memory;
mod message;
mod small_tree;
mod tags;
mod targets;

#[cfg(feature = "libfuzzer")]
pub use libfuzzer_sys;

pub use memory::{CountingAllocator, peak};
pub use targets::TARGETS;
pub use targets::plan::default_plan_document;

/// A parser with the promises that are checked.
pub struct Target {
    /// Names the program and the directories of seeds and corpus.
    pub name: &'static str,
    /// Gives an input to the parser; panics where a promise is broken.
    pub check: fn(&[u8]),
    /// The most memory that an input may cost.
    pub memory: fn(&[u8]) -> Memory,
}

/// A number of bytes for any input, and a number for each byte of it.
pub struct Memory {
    /// For any input.
    pub fixed: usize,
    /// For each byte of an input.
    pub each: usize,
}

impl Target {
    /// Gives an input to the parser.
    ///
    /// # Panics
    /// A promise is broken, that on memory included.
    pub fn run(&self, input: &[u8]) {
        let ((), cost) = peak(|| (self.check)(input));
        let Memory { fixed, each } = (self.memory)(input);
        let allowed = fixed + each * input.len();
        assert!(
            cost <= allowed,
            "{}: {} bytes of input cost {cost} bytes of memory, {allowed} are allowed",
            self.name,
            input.len()
        );
    }
}

/// The target of a name.
///
/// # Panics
/// There is none.
pub fn target(name: &str) -> &'static Target {
    let found = TARGETS.iter().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("no target {name}"))
}

/// The program of a target for libFuzzer.
#[cfg(feature = "libfuzzer")]
#[macro_export]
macro_rules! program {
    ($name:literal) => {
        #[global_allocator]
        static ALLOCATOR: $crate::CountingAllocator = $crate::CountingAllocator;

        $crate::libfuzzer_sys::fuzz_target!(|input: &[u8]| {
            $crate::target($name).run(input);
        });
    };
}
