#![no_main]

kmpkit_fuzz::program!("store");
