//! Turns the packages of a whole kernel back into their tags and files.
