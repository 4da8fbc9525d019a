//! Ends a run whose command line asks for help, or is wrong.

use std::process::ExitCode;

/// Prints what clap has to say. Help and version are no failures.
pub(crate) fn refused(error: &clap::Error) -> ExitCode {
    // If the stream is closed, nobody is left to tell.
    let _ = error.print();
    match error.use_stderr() {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}
