#![no_main]

kmpkit_fuzz::program!("trigger");
