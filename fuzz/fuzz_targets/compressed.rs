#![no_main]

kmpkit_fuzz::program!("compressed");
