#![no_main]

kmpkit_fuzz::program!("btf");
