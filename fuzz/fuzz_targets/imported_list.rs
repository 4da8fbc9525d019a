#![no_main]

kmpkit_fuzz::program!("imported_list");
