//! Speaks rpm's protocol for dependency generators: paths on stdin, tags on stdout
//! (rpm-dependency-generators(7)).
//!
//! rpm ignores the exit status of a generator and keeps what it printed. So a file that cannot be
//! read gets, instead of tags, a line that every rpm refuses. That fails the build.

use std::ffi::OsStr;
use std::io::{self, BufRead, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How rpm assigns tags to files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// One run for each file. Only tags are printed.
    Singlefile,
    /// One run for all files (rpm 4.20). `;<path>` is printed before the tags of each file.
    Multifile,
}

/// The longest reason that a refused line has. rpm prints the line twice.
const LONGEST_REASON: usize = 400;

/// A line that rpm refuses, whatever its settings, with the reason in it: rpm's last lines show it.
///
/// It ends in `=` without a version. rpm 4.18, 4.20 and 6.1 take that for an error even where
/// `%_wrong_version_format_terminate_build` is 0, as on openSUSE, SLE and Oracle Linux; there a wrong
/// version is only a warning (rpm/build/parseReqs.c, `parseRCPOT`). Blanks and commas would split the
/// line into several tags, so they become `_`.
pub fn refusal(generator: &str, reason: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+:/()'\"-".contains(c);
    let reason = reason.trim().chars().take(LONGEST_REASON);
    let reason: String = reason.map(|c| if plain(c) { c } else { '_' }).collect();
    format!("{generator}:_{reason} =")
}

/// Answers each path of `input` with the lines that `add` appends for it.
///
/// Returns whether all files could be read. If `add` fails, it has reported the reason that it gives.
///
/// # Errors
/// stdin cannot be read, or stdout cannot be written.
pub fn serve(
    generator: &str,
    protocol: Protocol,
    input: impl BufRead,
    mut output: impl Write,
    mut add: impl FnMut(&Path, &mut Vec<u8>) -> Result<(), String>,
) -> io::Result<bool> {
    let mut sound = true;
    let mut tags = Vec::new();
    for line in input.split(b'\n') {
        let line = line?;
        if line.is_empty() {
            continue;
        }
        tags.clear();
        let answer = add(Path::new(OsStr::from_bytes(&line)), &mut tags);
        if protocol == Protocol::Multifile {
            output.write_all(&[b";", &line[..], b"\n"].concat())?;
        }
        match answer {
            Ok(()) => output.write_all(&tags)?,
            Err(reason) => {
                sound = false;
                writeln!(output, "{}", refusal(generator, &reason))?;
            }
        }
    }
    output.flush()?;
    Ok(sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(protocol: Protocol) -> (bool, String) {
        let mut output = Vec::new();
        let add = |path: &Path, tags: &mut Vec<u8>| {
            let path = path.to_str().unwrap();
            tags.extend_from_slice(format!("a\nb({path})\n").as_bytes());
            match path {
                "/x/b d.ko" => Err(format!("{path}: no ELF file, \u{e9}\n")),
                _ => Ok(()),
            }
        };
        let sound = serve(
            "gen",
            protocol,
            &b"x y\n/x/b d.ko\n\nz"[..],
            &mut output,
            add,
        )
        .unwrap();
        (sound, String::from_utf8(output).unwrap())
    }

    #[test]
    fn a_bad_file_poisons_the_output_and_spares_the_others() {
        let refused = "gen:_/x/b_d.ko:_no_ELF_file___ =\n";
        assert_eq!(
            answer(Protocol::Singlefile),
            (false, format!("a\nb(x y)\n{refused}a\nb(z)\n"))
        );
        assert_eq!(
            answer(Protocol::Multifile),
            (
                false,
                format!(";x y\na\nb(x y)\n;/x/b d.ko\n{refused};z\na\nb(z)\n")
            )
        );
    }
}
