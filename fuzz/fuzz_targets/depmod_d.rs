#![no_main]

kmpkit_fuzz::program!("depmod_d");
