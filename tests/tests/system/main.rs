//! All tests of the whole system, in one program: a program for each would take as much disk as all.

mod archive;
mod circles;
mod compiled_kernel;
mod depmod;
mod dist;
mod file_names;
mod fuzzing;
mod growth;
mod hostile;
mod index_names;
mod initrd;
mod install;
mod install_post;
mod loader;
mod loader_store;
mod long_names;
mod modprobe_config;
mod modular_kernel;
mod neighbours;
mod oracles;
mod report;
mod roads;
mod rpmbuild;
mod rpmlint;
mod stability;
mod triggers;
