//! The store of what the kernel's loader asks of modules: any bytes read as one, and written again.

use facts::{LoaderStore, loader_store_with};

use crate::{Memory, Target};

/// A store without its checksum.
pub const LOADER_STORE: Target = Target {
    name: "loader_store",
    check: loader_store,
    memory: |_| Memory {
        fixed: 64 << 10,
        each: 256,
    },
};

fn loader_store(input: &[u8]) {
    let store = LoaderStore::from_bytes(loader_store_with(input));
    let again = store.written_again().expect("as much as was read");
    let again = LoaderStore::from_bytes(again);
    assert_eq!(
        format!("{:?}", again.modules()),
        format!("{:?}", store.modules())
    );
}
