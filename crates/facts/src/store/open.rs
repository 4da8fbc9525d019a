//! Opens a store.

use std::fs::File;
use std::marker::PhantomData;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::OnceLock;

use super::body::StoredFacts;
use super::format::{Cursor, MAGIC, START, VERSION, head_checksum};
use super::head::{Head, StoreHead};

/// A store of which only the head has been read; empty if there is none that can be used.
#[derive(Debug, Default)]
pub struct StoreFile {
    head: Head,
    body: Option<Body>,
}

/// A store in use. What is found in it has its lifetime, and fits no other store.
#[derive(Debug)]
pub struct Store<'s> {
    head: StoreHead<'s>,
    body: Option<Body>,
    /// The facts, once somebody has asked for them; `None` in it if they are damaged.
    facts: OnceLock<Option<StoredFacts<'s>>>,
}

/// The facts of a store, not read yet.
#[derive(Debug)]
struct Body {
    bytes: StoreBytes,
    start: usize,
    length: usize,
    checksum: u32,
}

/// What a store is read from.
#[derive(Debug)]
enum StoreBytes {
    File(File),
    Memory(Vec<u8>),
}

impl StoreFile {
    /// Reads the head of a store; an empty store if it cannot be used.
    pub fn load(path: &Path) -> Self {
        let Ok(file) = File::open(path) else {
            return Self::default();
        };
        Self::open(StoreBytes::File(file)).unwrap_or_else(|| {
            log::debug!("{}: no store that can be used", path.display());
            Self::default()
        })
    }

    /// Takes the bytes of a store; an empty store if they are none that can be used.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self::open(StoreBytes::Memory(bytes)).unwrap_or_default()
    }

    /// Whether there was a store that can be used.
    pub fn is_there(&self) -> bool {
        self.body.is_some()
    }

    /// Uses the store. What `work` finds in it cannot leave, nor be taken for something in another
    /// store.
    pub fn with<R>(self, work: impl for<'s> FnOnce(Store<'s>) -> R) -> R {
        work(Store::new(self))
    }

    fn open(bytes: StoreBytes) -> Option<Self> {
        let start = bytes.read(0, START)?;
        let mut cursor = Cursor { rest: &start };
        if cursor.take(MAGIC.len())? != MAGIC || cursor.word()? != VERSION {
            return None;
        }
        let (head_length, head_checksum_said) = (cursor.size()?, cursor.word()?);
        let (length, checksum) = (cursor.size()?, cursor.word()?);
        let start = START.checked_add(head_length)?;
        // A length that is wrong gets no memory.
        if bytes.len()? != start.checked_add(length)? {
            return None;
        }
        let head = bytes.read(START, head_length)?;
        if head_checksum(length, checksum, &head) != head_checksum_said {
            return None;
        }
        Some(Self {
            head: Head::parse(&head)?,
            body: Some(Body {
                bytes,
                start,
                length,
                checksum,
            }),
        })
    }
}

impl Store<'static> {
    /// No store: it has no module, so nothing is ever found in it.
    pub fn none() -> Self {
        Self::new(StoreFile::default())
    }
}

impl<'s> Store<'s> {
    fn new(file: StoreFile) -> Self {
        Self {
            head: StoreHead::new(file.head, PhantomData),
            body: file.body,
            facts: OnceLock::new(),
        }
    }

    /// The store without all that is in it, so that no module is known by it.
    pub fn without_modules(self) -> Self {
        Self::new(StoreFile::default())
    }

    /// What tells whether anything has changed.
    pub fn head(&self) -> &StoreHead<'s> {
        &self.head
    }

    /// Reads the facts, which will be asked for, while something else is done.
    pub fn read_ahead(&self) {
        self.facts.get_or_init(|| self.read());
    }

    /// The head and the facts; both empty if the facts are damaged or there are none.
    pub fn into_parts(mut self) -> (StoreHead<'s>, StoredFacts<'s>) {
        match self.facts.take().unwrap_or_else(|| self.read()) {
            Some(facts) => (self.head, facts),
            None => (
                StoreHead::new(Head::default(), PhantomData),
                StoredFacts::empty(),
            ),
        }
    }

    fn read(&self) -> Option<StoredFacts<'s>> {
        let facts = self.body.as_ref()?.read().and_then(StoredFacts::parse);
        let facts = facts.filter(|facts| facts.len() == self.head.len());
        if facts.is_none() {
            log::debug!("the facts of a store cannot be used");
        }
        facts
    }
}

impl Body {
    fn read(&self) -> Option<Vec<u8>> {
        let bytes = self.bytes.read(self.start, self.length)?;
        (crc32fast::hash(&bytes) == self.checksum).then_some(bytes)
    }
}

impl StoreBytes {
    fn len(&self) -> Option<usize> {
        match self {
            Self::File(file) => usize::try_from(file.metadata().ok()?.len()).ok(),
            Self::Memory(bytes) => Some(bytes.len()),
        }
    }

    fn read(&self, start: usize, length: usize) -> Option<Vec<u8>> {
        match self {
            Self::File(file) => {
                let mut bytes = vec![0; length];
                let start = u64::try_from(start).ok()?;
                file.read_exact_at(&mut bytes, start).ok()?;
                Some(bytes)
            }
            Self::Memory(bytes) => Some(bytes.get(start..start.checked_add(length)?)?.to_vec()),
        }
    }
}
