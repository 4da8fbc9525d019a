#![no_main]

kmpkit_fuzz::program!("kernel_lists");
