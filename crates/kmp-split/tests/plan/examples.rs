//! One example of each refusal, word for word, and of what is told without refusing.

use policy::By;

use crate::rules::{Decision, ModuleRule, Rules, Selector, Set};
use crate::scene::Scene;
use crate::world::World;

fn network() -> World {
    World::written(&[
        ("kernel/net/mac80211", &["cfg80211"]),
        ("kernel/net/cfg80211", &["rfkill"]),
        ("kernel/net/rfkill", &[]),
        ("kernel/drivers/net/iwlwifi", &["mac80211"]),
        ("kernel/drivers/net/e1000e", &["ptp"]),
        ("kernel/drivers/ptp", &[]),
    ])
}

fn name(name: &str) -> Selector {
    Selector::Name(name.to_owned())
}

fn below(directory: &str) -> Selector {
    Selector::Below(directory.to_owned())
}

fn set(name: &'static str, members: &[Selector], priority: i64) -> Set {
    Set {
        name,
        members: members.to_vec(),
        except: Vec::new(),
        priority,
    }
}

fn rule(which: Selector, decision: Decision) -> ModuleRule {
    ModuleRule {
        which: vec![which],
        decision,
    }
}

fn refusal(world: World, rules: Rules) -> String {
    let scene = Scene { world, rules };
    scene.plan(None).err().unwrap().to_string()
}

/// `stem: module module`, by stem; the image is `-`, what is excluded is missing.
fn packages(world: World, rules: Rules) -> Vec<String> {
    let scene = Scene { world, rules };
    let document = scene.plan(None).unwrap().document();
    let names = |modules: &[_]| -> String {
        let names = modules.iter();
        names
            .map(|module: &kmp_split_document::Module| format!(" {}", module.name))
            .collect()
    };
    let packages = document.packages.iter();
    let packages = packages.map(|package| format!("{}:{}", package.stem, names(&package.modules)));
    let image = (!document.base.is_empty()).then(|| format!("-:{}", names(&document.base)));
    image.into_iter().chain(packages).collect()
}
