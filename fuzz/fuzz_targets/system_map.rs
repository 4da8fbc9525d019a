#![no_main]

kmpkit_fuzz::program!("system_map");
