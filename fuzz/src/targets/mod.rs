//! One file for each kind of input.

mod compressed;
mod configuration;
mod index;
mod kernel;
mod kernel_lists;
mod loader;
mod loader_store;
mod module;
pub(crate) mod plan;
mod policy;
mod store;
mod trigger;

use crate::Target;

/// All targets.
pub const TARGETS: &[Target] = &[
    compressed::COMPRESSED,
    module::STRICT,
    module::LENIENT,
    loader::VERDICT,
    loader::BTF,
    kernel::IMAGE,
    kernel::SYMVERS,
    kernel::SYSTEM_MAP,
    kernel_lists::LISTS,
    store::STORE,
    loader_store::LOADER_STORE,
    index::READ,
    index::WRITE,
    policy::POLICY,
    policy::LIST,
    plan::PREVIOUS,
    plan::MACHINE,
    configuration::DEPMOD_D,
    configuration::MODPROBE_D,
    trigger::TRIGGER,
];
