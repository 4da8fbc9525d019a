//! Turns transactions of package managers into indexes, and holds them against those of kmod's
//! depmod on the same tree.

mod bulk;
mod initrd;
mod native;
mod rebuilds;
