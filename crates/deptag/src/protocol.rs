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

/// A version that rpm 4.18, 4.20 and 6.1 refuse, because it has more than one dash.
pub const REFUSED: &str = "see-the-error-above";

/// Answers each path of `input` with the lines that `add` appends for it.
///
/// Returns whether all files could be read. If `add` fails, it has reported the reason itself.
///
/// # Errors
/// stdin cannot be read, or stdout cannot be written.
pub fn serve<E>(
    generator: &str,
    protocol: Protocol,
    input: impl BufRead,
    mut output: impl Write,
    mut add: impl FnMut(&Path, &mut Vec<u8>) -> Result<(), E>,
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
            Err(_) => {
                sound = false;
                writeln!(output, "{}", refused(generator, &line))?;
            }
        }
    }
    output.flush()?;
    Ok(sound)
}

/// The line that makes rpm refuse the package. rpm shows it, so it names the file.
fn refused(generator: &str, path: &[u8]) -> String {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    let name: String = name
        .iter()
        .map(|&byte| if plain(byte) { char::from(byte) } else { '_' })
        .collect();
    format!("{generator}-failed-for-{name} = {REFUSED}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(protocol: Protocol) -> (bool, String) {
        let mut output = Vec::new();
        let add = |path: &Path, tags: &mut Vec<u8>| {
            let path = path.to_str().ok_or(())?;
            tags.extend_from_slice(format!("a\nb({path})\n").as_bytes());
            if path == "/x/b d.ko" { Err(()) } else { Ok(()) }
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
        let refused = "gen-failed-for-b_d.ko = see-the-error-above\n";
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
