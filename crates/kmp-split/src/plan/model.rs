//! The plan: which package has each module of a kernel, and why.

use id_table::{Table, id};
use modtree::ModuleId;
use policy::FileLine;

id! {
    /// A package of a [`Plan`].
    PackageId
}

/// Which package has each module of a kernel.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The kernel module packages, sorted by stem.
    pub packages: Table<PackageId, Package>,
    /// Where each module is.
    pub location: Table<ModuleId, Location>,
    /// Why each module is there.
    pub reasons: Table<ModuleId, PlacementReason>,
    /// Whether hardware may ask for each module.
    pub hardware: Table<ModuleId, bool>,
    /// The pattern packages.
    pub patterns: Vec<PatternPackage>,
    /// The modules that are elsewhere than in the previous plan.
    pub moved: Vec<Moved>,
    /// The modules that left packages, in this build or in an earlier one, also those that no package
    /// has now.
    pub departures: Vec<Departure>,
    /// Rules that match no module, and modules whose symbols and `depends=` differ.
    pub warnings: Vec<String>,
}

/// A kernel module package.
#[derive(Clone, Debug)]
pub struct Package {
    /// What the naming templates call `{name}`.
    pub stem: String,
    /// The summary of the set, one line.
    pub summary: Option<String>,
    /// The description of the set.
    pub description: Option<String>,
    /// The modules, sorted by path. There is at least one.
    pub modules: Vec<ModuleId>,
    /// The packages that it needs, sorted by stem.
    pub needs: Vec<PackageId>,
    /// Whether its modules are supported.
    pub support: PackageSupport,
}

/// Whether the modules of a package are supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackageSupport {
    /// Some of them are.
    Supported,
    /// None is, and the package's name does not say so.
    Unsupported,
    /// None is, and the name has the suffix that the policy wants for such packages.
    Apart,
}

impl PackageSupport {
    /// Whether some modules are supported.
    pub fn is_supported(self) -> bool {
        self == Self::Supported
    }
}

/// A package that requires the packages of a pattern's modules.
#[derive(Clone, Debug)]
pub struct PatternPackage {
    /// What the naming template calls `{name}`.
    pub name: String,
    /// The summary, one line.
    pub summary: String,
    /// The description.
    pub description: Option<String>,
    /// The heading under which zypper shows it.
    pub category: Option<String>,
    /// Its position among the patterns of the category.
    pub order: Option<u32>,
    /// Whether it is shown.
    pub visible: bool,
    /// The packages that it requires, sorted by stem. There is at least one.
    pub packages: Vec<PackageId>,
}

/// Where a module is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// In the image package.
    Image,
    /// In a kernel module package.
    Package(PackageId),
    /// In no package, because a rule excludes it.
    Excluded,
}

/// Why a module is where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlacementReason {
    /// A rule keeps it in the image package.
    Base(FileLine),
    /// A module of the image package needs it.
    BaseNeeds(ModuleId),
    /// A set claims it.
    Set(String, FileLine),
    /// A rule names its package.
    Package(String, FileLine),
    /// A rule excludes it.
    Excluded(FileLine),
    /// The previous plan had it there.
    Previous,
    /// It is in this directory.
    Directory(String),
    /// No alias asks for it, and only this package needs it.
    Helper,
    /// It is small, and others of its directory need the same modules.
    SameNeeds,
    /// It is small, and sharing a package with modules nearby costs machines least.
    Near,
    /// No rule claims it, and it shares its package only with helpers.
    Alone,
}

/// The package that had a module in an earlier build.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FormerPackage {
    /// The image package.
    Image,
    /// The kernel module package with this stem. It need not exist any more.
    Stem(String),
}

/// A module that is elsewhere than in the previous plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The module.
    pub module: ModuleId,
    /// The package that had it.
    pub from: FormerPackage,
    /// Where it is now.
    pub to: Location,
}

/// Modules that a package had once and that are not in it now. Whoever installed the package needs
/// the packages that have them now, or will have them in a later build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Departure {
    /// The package that had them.
    pub from: FormerPackage,
    /// The first build without them.
    pub since: Since,
    /// Those that the kernel has. Some may be excluded.
    pub modules: Vec<ModuleId>,
    /// The paths, without `.ko`, of those that the kernel does not have now.
    pub absent: Vec<String>,
}

/// A build of a kernel's packages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Since {
    /// The build of this plan.
    ThisBuild,
    /// The build whose packages have this version and release.
    Build(String),
}

impl Since {
    /// The version and release of the build, if this one's is `evr`.
    pub fn evr<'s>(&'s self, evr: &'s str) -> &'s str {
        match self {
            Self::ThisBuild => evr,
            Self::Build(since) => since,
        }
    }
}

impl Plan {
    /// The modules of the image package, sorted by path.
    pub fn image(&self) -> impl Iterator<Item = ModuleId> {
        self.at(Location::Image)
    }

    /// The modules that no package has, sorted by path.
    pub fn excluded(&self) -> impl Iterator<Item = ModuleId> {
        self.at(Location::Excluded)
    }

    fn at(&self, location: Location) -> impl Iterator<Item = ModuleId> {
        let all = self.location.iter();
        all.filter(move |(_, at)| **at == location)
            .map(|(id, _)| id)
    }

    /// The kernel module package of a module.
    pub fn package_of(&self, module: ModuleId) -> Option<PackageId> {
        match self.location[module] {
            Location::Package(package) => Some(package),
            Location::Image | Location::Excluded => None,
        }
    }
}
