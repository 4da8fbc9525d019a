//! Modules that a kernel in a virtual machine is asked to load.

/// Modules to load one after another. The last one counts; the others must load.
#[derive(Debug, Clone, Default)]
pub struct Trial {
    /// A name for it: letters, digits and underscores.
    pub name: String,
    /// The bytes of the modules, not compressed.
    pub modules: Vec<Vec<u8>>,
    /// From here on the kernel refuses unsigned modules (`module.sig_enforce`).
    pub enforce: bool,
}
