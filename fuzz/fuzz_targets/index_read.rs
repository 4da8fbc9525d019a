#![no_main]

kmpkit_fuzz::program!("index_read");
