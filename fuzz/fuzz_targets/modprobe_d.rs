#![no_main]

kmpkit_fuzz::program!("modprobe_d");
