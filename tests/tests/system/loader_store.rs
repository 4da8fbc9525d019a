//! What the kernel's loader asks of all modules of a kernel, through a store.

use anyhow::{Result, ensure};
use facts::{LoaderFacts, LoaderFile, LoaderStore};
use kmpkit_tests::{Kernel, cache_dir};

fn through_a_store(suite: &str) -> Result<()> {
    let kernel = Kernel::from_archive(suite, "amd64", &cache_dir())?;
    let paths = kernel.modules()?;
    let file = |path: &'_ std::path::PathBuf| -> Result<Vec<u8>> {
        let below = path.strip_prefix(&kernel.modules_dir)?;
        Ok(below.as_os_str().as_encoded_bytes().to_vec())
    };
    let names = paths.iter().map(file).collect::<Result<Vec<_>>>()?;
    let files: Vec<_> = paths
        .iter()
        .zip(&names)
        .map(|(path, in_store)| LoaderFile { path, in_store })
        .collect();
    let read = LoaderFacts::gather(&LoaderStore::default(), &files);
    ensure!(read.read_anew == files.len() && files.len() > 4_000);
    ensure!(read.modules.iter().all(Result::is_ok));
    let store = LoaderStore::from_bytes(read.store().unwrap_or_default());
    let stored = LoaderFacts::gather(&store, &files);
    ensure!(
        stored.read_anew == 0,
        "{} files were read again",
        stored.read_anew
    );
    ensure!(stored.store().is_none());
    ensure!(format!("{:?}", stored.modules) == format!("{:?}", read.modules));
    Ok(())
}

#[test]
fn facts_of_a_kernel_come_back() -> Result<()> {
    through_a_store("bookworm")
}

#[test]
#[ignore = "test-all"]
fn facts_of_a_compressed_kernel_come_back() -> Result<()> {
    through_a_store("trixie")
}
