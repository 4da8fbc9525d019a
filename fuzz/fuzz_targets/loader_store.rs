#![no_main]

kmpkit_fuzz::program!("loader_store");
