//! Module files and a store in, facts out: of what is as it was from the store, of the others from
//! the files, read on all processors.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;

use facts::{
    AllFacts, Content, Facts, Kept, Listing, Piece, Source, Stamp, Store, Stored, store_of,
};
use kmodule::Reader;
use parallel::map_with;

use crate::module_file::ModuleFile;
use crate::stamps::{Stamps, known};

/// Facts of modules, in the order of the files.
pub(crate) struct Read {
    pub(crate) facts: AllFacts,
    /// What the facts were read from; `None` where they are not to be kept.
    origins: Vec<Option<Origin>>,
    started: SystemTime,
    /// How many were read from their files.
    pub(crate) anew: usize,
    /// A store of this would be the one there is, but for its digest.
    is_stored: bool,
    /// What the last run said.
    digest: Vec<u8>,
}

/// What tells that a file is the one facts were read from.
#[derive(Clone, Copy)]
struct Origin {
    stamp: Stamp,
    content: Option<Content>,
}

/// A file the store does not know as it is.
struct Unknown<'f> {
    file: &'f ModuleFile,
    /// What it may be a copy of: a file as long and as old.
    copy_of: Option<(Kept, Content)>,
}

/// What was found out about such a file.
struct Learnt {
    source: Source,
    content: Option<Content>,
    error: Option<kmodule::Error>,
}

impl Read {
    /// Reads every module that the store does not know; of a damaged one what can be read, with a
    /// message, each time.
    pub(crate) fn all(
        files: &[ModuleFile],
        listings: &[(Vec<u8>, Arc<Listing>)],
        stamps: &Stamps,
        details: bool,
        store: Store,
    ) -> Self {
        let store = store.if_sound();
        let known: Vec<_> = files
            .iter()
            .zip(&stamps.stamps)
            .map(|(file, stamp)| known(file, stamp, &store))
            .collect();
        let unknown = unknown(files, stamps, &known, &store);
        let Ok(learnt) = map_with(&unknown, Memory::default, |memory, unknown| {
            Ok::<_, Infallible>(unknown.learn(details, memory))
        });
        let is_stored =
            unknown.is_empty() && files.len() == store.len() && store.has_listings(listings);
        let mut learnt = learnt.into_iter();
        let mut sources = Vec::with_capacity(files.len());
        let mut origins = Vec::with_capacity(files.len());
        let mut anew = 0;
        for (known, stamp) in known.into_iter().zip(&stamps.stamps) {
            let of_store = known.map(|kept| Learnt::kept(kept, store.content(kept)));
            let Some(Learnt {
                source,
                content,
                error,
            }) = of_store.or_else(|| learnt.next())
            else {
                break;
            };
            let origin = stamp.map(|stamp| Origin { stamp, content });
            origins.push(origin.filter(|_| error.is_none() && !details));
            anew += usize::from(matches!(source, Source::Read(_)));
            sources.push(source);
            if let Some(error) = error {
                log::error!("failed to load symbols from {error}");
            }
        }
        Self {
            digest: store.digest().to_vec(),
            facts: AllFacts::new(store.facts().unwrap_or_default(), sources),
            origins,
            started: stamps.started,
            anew,
            is_stored,
        }
    }

    /// A store for the next run, of all that will be known by its stamp; `None` where nothing has
    /// changed since the last.
    pub(crate) fn store(
        &self,
        files: &[ModuleFile],
        listings: &[(Vec<u8>, Arc<Listing>)],
        digest: &[u8],
    ) -> Option<[Cow<'_, [u8]>; 3]> {
        let settled =
            |origin: &Option<Origin>| origin.filter(|of| of.stamp.is_settled(self.started));
        let origins: Vec<_> = self.origins.iter().map(settled).collect();
        // A digest of more than the store has would fit a tree where just that is gone.
        let digest = match origins.iter().all(Option::is_some) {
            true => digest,
            false => &[],
        };
        if self.is_stored && self.digest == digest {
            return None;
        }
        let stored: Vec<_> = files
            .iter()
            .zip(origins)
            .map(|(file, origin)| origin.map(|origin| origin.of(file)))
            .collect();
        store_of(digest, listings, &self.facts, &stored)
    }
}

impl Origin {
    fn of(self, file: &ModuleFile) -> Stored<'_> {
        Stored {
            path: file.shown(),
            stamp: self.stamp,
            content: self.content,
        }
    }
}

/// Memory of a thread.
#[derive(Default)]
struct Memory {
    reader: Reader,
    piece: Piece,
}

impl Unknown<'_> {
    /// Reads a module, if it is no copy of one that was read before.
    ///
    /// The hash is taken first: of a file that changes meanwhile it fits no facts but its own.
    fn learn(&self, details: bool, memory: &mut Memory) -> Learnt {
        let path = self.file.path();
        let content = match self.file.is_compressed() && !details {
            true => Content::of_file(path, &mut memory.piece).ok(),
            false => None,
        };
        if let Some((kept, original)) = self.copy_of
            && content == Some(original)
        {
            return Learnt::kept(kept, content);
        }
        let (facts, error) = Facts::read(path, &mut memory.reader, details);
        Learnt {
            source: Source::Read(facts),
            content,
            error,
        }
    }
}

impl Learnt {
    fn kept(kept: Kept, content: Option<Content>) -> Self {
        Self {
            source: Source::Kept(kept),
            content,
            error: None,
        }
    }
}

/// The files of which the store does not know the facts.
fn unknown<'f>(
    files: &'f [ModuleFile],
    stamps: &Stamps,
    known: &[Option<Kept>],
    store: &Store,
) -> Vec<Unknown<'f>> {
    let each = files.iter().zip(&stamps.stamps).zip(known);
    each.filter(|(_, known)| known.is_none())
        .map(|((file, stamp), _)| Unknown {
            file,
            copy_of: original(file, stamp, store),
        })
        .collect()
}

/// The file the store knows which this may be a copy of: they are as long and as old.
///
/// Files that are not compressed have no hash: what depmod needs of one is read sooner than all.
fn original(file: &ModuleFile, stamp: &Option<Stamp>, store: &Store) -> Option<(Kept, Content)> {
    let kept = file.past.kept()?;
    let may_be = stamp.as_ref()?.may_be_copy_of(&store.stamp(kept)?);
    may_be.then_some((kept, store.content(kept)?))
}
