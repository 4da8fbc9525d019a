//! The store of facts that depmod keeps between runs: any bytes read as one, and written again.

use std::collections::BTreeSet;

use facts::{
    ContentHash, FactTable, FileStamp, ListedDirectory, Store, StoreFile, StoredFile,
    StoredOrFresh, store_of, write_store,
};
use id_table::{Table, id};

use crate::{Memory, Target};

/// The head and the body of a store. The first two bytes are the length of the head.
pub const STORE: Target = Target {
    name: "store",
    check: store,
    memory: |_| Memory {
        fixed: 64 << 10,
        each: 128,
    },
};

id! {
    /// A module of the input.
    ModuleId
}

/// Directories that are looked up. Those of the seeds are among them.
const DIRECTORIES: [&[u8]; 4] = [b"", b"kernel", b"kernel/lib", b"kernel/lib/math"];

/// What a store says of some directories and the modules in them.
#[derive(Debug, PartialEq, Eq)]
struct Contents {
    digest: Vec<u8>,
    directories: Vec<ListedDirectory>,
    files: Vec<(Vec<u8>, FileStamp, Option<ContentHash>)>,
    facts: Vec<[Vec<Vec<u8>>; 5]>,
}

fn store(input: &[u8]) {
    let Some((length, rest)) = input.split_first_chunk() else {
        return;
    };
    let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
    let (head, body) = rest.split_at(length);
    let bytes = store_of(head, body).expect("lengths of an input");
    let (contents, again) = StoreFile::from_bytes(bytes).with(read);
    // Of one path a store that is written has one file.
    let paths: BTreeSet<_> = contents.files.iter().map(|(path, ..)| path).collect();
    if paths.len() < contents.files.len() {
        return;
    }
    let (same, _) = StoreFile::from_bytes(again).with(read);
    assert_eq!(same, contents);
}

/// What is in a store, and the bytes of another one with the same.
fn read(store: Store<'_>) -> (Contents, Vec<u8>) {
    let (head, stored) = store.into_parts();
    let mut contents = Contents {
        digest: head.digest().to_vec(),
        directories: Vec::new(),
        files: Vec::new(),
        facts: Vec::new(),
    };
    let mut modules: Table<ModuleId, _> = Table::with_capacity(head.len());
    for path in DIRECTORIES {
        let Some(known) = head.listing(path) else {
            continue;
        };
        assert!(known.modules_by_name().len() <= known.listing().entries.len());
        for (entry, listed) in known.listing().entries.iter().enumerate() {
            let module = known.module(entry);
            let Some((id, module)) = module.and_then(|id| Some((id, stored.module(id)?))) else {
                continue;
            };
            let slash: &[u8] = if path.is_empty() { b"" } else { b"/" };
            let stamp = head.stamp(id).expect("a module has a stamp");
            let file = ([path, slash, &listed.name].concat(), stamp, head.hash(id));
            contents.files.push(file);
            modules.push(StoredOrFresh::Stored(module));
        }
        contents.directories.push(ListedDirectory {
            path: path.to_vec(),
            listing: known.listing().clone(),
        });
    }
    let table = FactTable::new(stored, modules);
    let name = |id| table.name(id).to_vec();
    contents.facts = table
        .iter()
        .map(|(_, facts)| {
            [
                facts.aliases().map(<[u8]>::to_vec).collect(),
                facts.softdeps().map(<[u8]>::to_vec).collect(),
                facts.weakdeps().map(<[u8]>::to_vec).collect(),
                facts.exports().map(name).collect(),
                facts.imports().map(name).collect(),
            ]
        })
        .collect();
    let files: Table<ModuleId, _> = contents
        .files
        .iter()
        .map(|(path, stamp, hash)| {
            Some(StoredFile {
                path,
                stamp: *stamp,
                hash: *hash,
            })
        })
        .collect();
    let again = write_store(&contents.digest, &contents.directories, &table, &files);
    let again = again.expect("as much as was read").concat();
    (contents, again)
}
