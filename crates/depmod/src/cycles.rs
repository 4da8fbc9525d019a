//! Finds the circles of modules that need each other, and logs them one by one.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;

use id_table::Table;

use crate::complaints::Complaints;
use crate::module::ModuleNumber;
use crate::module_path::ModulePath;

/// How many modules are entered before each is entered only once from then on. The number of circles
/// can grow with the faculty of the number of modules.
const ENTERED: usize = 100_000;

/// The modules that each module needs itself.
type DirectNeeds = Table<ModuleNumber, Vec<ModuleNumber>>;

/// Logs circles among the modules that still have users when all others are ranked; gives the names of
/// the modules in them. `directory` is for messages.
pub(crate) fn cycles(
    modules: &Table<ModuleNumber, ModulePath>,
    direct: &DirectNeeds,
    users: &Table<ModuleNumber, usize>,
    directory: &Path,
) -> Vec<String> {
    let name = |module: &ModuleNumber| String::from_utf8_lossy(modules[*module].name());
    let has_users = |module: &ModuleNumber| users[*module] > 0;
    let mut complaints = Complaints::about(directory);
    let mut members = BTreeSet::new();
    for circle in circles(direct, direct.ids().filter(has_users).collect()) {
        let names: Vec<_> = circle.iter().chain(circle.first()).map(name).collect();
        complaints.fault(format_args!("Cycle detected: {}", names.join(" -> ")));
        members.extend(names.into_iter().map(|name| name.into_owned()));
    }
    members.into_iter().collect()
}

/// The circles that kmod tells of (kmod/tools/depmod.c, `depmod_report_cycles`): those through a module
/// that was in none of those before. Each module of a circle is in one of them.
///
/// Unlike kmod, a module is entered only once on a way, for kmod does not come to an end else.
fn circles(direct: &DirectNeeds, waiting: VecDeque<ModuleNumber>) -> Vec<Vec<ModuleNumber>> {
    let mut search = Search {
        direct,
        waiting,
        left: ENTERED,
        circles: Vec::new(),
    };
    while let Some(root) = search.waiting.pop_front() {
        search.through(root);
    }
    search.circles
}

/// A module on the way, and the place in the list of such steps of the one before it.
type Step = (ModuleNumber, Option<usize>);

struct Search<'d> {
    direct: &'d DirectNeeds,
    /// The modules that may be in a circle that is not known yet.
    waiting: VecDeque<ModuleNumber>,
    /// How many modules may still be entered more than once.
    left: usize,
    circles: Vec<Vec<ModuleNumber>>,
}

impl Search<'_> {
    /// Finds ways from a module back to itself.
    fn through(&mut self, root: ModuleNumber) {
        let mut seen = BTreeSet::new();
        let mut steps: Vec<Step> = Vec::new();
        let mut stack = vec![(root, None)];
        while let Some((module, from)) = stack.pop() {
            if module == root && from.is_some() {
                let circle = way(&steps, from);
                for &member in &circle {
                    self.known(member);
                }
                self.circles.push(circle);
                continue;
            }
            let is_known = match self.left {
                0 => !seen.insert(module),
                _ => self.is_on_way(module, &steps, from),
            };
            if is_known {
                continue;
            }
            let needed = &self.direct[module];
            if needed.is_empty() {
                self.known(module);
            }
            steps.push((module, from));
            let here = steps.len() - 1;
            stack.extend(needed.iter().map(|&needed| (needed, Some(here))));
        }
    }

    /// A module need not be looked at any more. The next one is then the one behind it, as in kmod's
    /// list (kmod/libkmod/libkmod-list.c, `kmod_list_remove_data`).
    fn known(&mut self, module: ModuleNumber) {
        let place = self.waiting.iter().position(|&waiting| waiting == module);
        if let Some(place) = place {
            self.waiting.remove(place);
            let next = place.checked_rem(self.waiting.len()).unwrap_or_default();
            self.waiting.rotate_left(next);
        }
    }

    /// Whether a module was entered on the way to itself.
    fn is_on_way(&mut self, module: ModuleNumber, steps: &[Step], last: Option<usize>) -> bool {
        let way = before(steps, last);
        // Each step back takes time, too.
        let mut back = way.take_while(|_| {
            self.left = self.left.saturating_sub(1);
            self.left > 0
        });
        back.any(|entered| entered == module)
    }
}

/// The modules on the way, the last first.
fn before(steps: &[Step], last: Option<usize>) -> impl Iterator<Item = ModuleNumber> {
    let step = |place: Option<usize>| steps.get(place?);
    std::iter::successors(step(last), move |(_, from)| step(*from)).map(|(module, _)| *module)
}

fn way(steps: &[Step], last: Option<usize>) -> Vec<ModuleNumber> {
    let mut way: Vec<_> = before(steps, last).collect();
    way.reverse();
    way
}

#[cfg(test)]
mod tests {
    use id_table::Id;

    use super::*;
    use crate::hash::table_order;

    /// The circles of modules named by letters; each line is a module and what it needs.
    fn told(lines: &[&str]) -> Vec<String> {
        let numbers = |text: &str| {
            let place = |letter| {
                lines
                    .iter()
                    .position(|line| line.starts_with(letter))
                    .unwrap()
            };
            let numbers = text
                .chars()
                .map(|letter| ModuleNumber::from_index(place(letter)));
            numbers.collect::<Vec<_>>()
        };
        let direct: DirectNeeds = lines.iter().map(|line| numbers(&line[1..])).collect();
        let all = direct.ids().collect();
        let name = |module: &ModuleNumber| &lines[module.index()][..1];
        let circles = circles(&direct, all);
        circles
            .iter()
            .map(|circle| circle.iter().map(name).collect())
            .collect()
    }

    /// The modules of kmod's test depmod_detect_loop, in the order of its array, and what it wants to be
    /// told (kmod/testsuite/rootfs-pristine/test-depmod/detect-loop/correct.txt).
    #[test]
    fn circles_are_those_that_kmod_tells() {
        let mut modules = [
            "abfg", "bcfg", "ca", "de", "ed", "f", "g", "hi", "ij", "jhk", "kh",
        ];
        let bucket = |line: &&str| {
            let name = format!("mod_loop_{}", &line[..1]);
            table_order(name.as_bytes(), 512).0
        };
        modules.sort_by_key(bucket);
        assert_eq!(told(&modules), ["de", "ijkh", "ijh", "cab"]);
    }

    #[test]
    fn only_circles_are_told() {
        assert_eq!(told(&["ab", "bc", "c"]), Vec::<String>::new());
        assert_eq!(told(&["ab", "bac", "cd", "d"]), ["ab"]);
        // A module that needs itself, and a circle that leads to another.
        assert_eq!(told(&["aa", "bc", "cbd", "de", "ed"]), ["a", "bc", "de"]);
    }

    /// All modules need each other.
    #[test]
    fn many_circles_come_to_an_end() {
        let letters = "abcdefghijklmnopqrstuvwxyz";
        for (count, wanted) in [(2, 1), (3, 4), (4, 15)] {
            let lines = complete(&letters[..count]);
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert_eq!(told(&lines).len(), wanted);
        }
        let lines = complete(letters);
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let circles = told(&lines).concat();
        assert!(letters.chars().all(|letter| circles.contains(letter)));
    }

    fn complete(letters: &str) -> Vec<String> {
        let others = |one: char| letters.chars().filter(move |&other| other != one);
        letters
            .chars()
            .map(|one| std::iter::once(one).chain(others(one)).collect())
            .collect()
    }
}
