#![no_main]

kmpkit_fuzz::program!("plan_document");
