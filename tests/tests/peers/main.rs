//! kmpkit beside the tools of distributions that are in no archive of Debian's: `make test-peers
//! PEERS=DIR`, where DIR has checkouts of them. What differs is listed with its reason.

mod checkouts;
mod driver;
mod initrd;
mod patterns;
mod redhat;
mod suse;
mod symbol_warnings;
mod system;
mod tags;
mod two_kernels;
mod weak_modules;
