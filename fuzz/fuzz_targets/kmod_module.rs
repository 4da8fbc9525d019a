#![no_main]

kmpkit_fuzz::program!("kmod_module");
