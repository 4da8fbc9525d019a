//! Writes the HTML page that shows a plan.
//!
//! The page is one file that loads nothing. It contains the plan as JSON, which its script draws.
//! The table of packages is there without the script, too.

mod front_coded;
mod html;
mod kernel_parts;
mod page_data;

use std::borrow::Cow;

use anyhow::Result;
use policy::Layer;

use crate::document::Document;
use crate::machine::MachineHardware;
use crate::planned::PlannedKernel;
use page_data::PageData;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const ERRORS: &str = include_str!("errors.js");

/// The parts of the script. Each one uses only what comes before it.
const SCRIPTS: [&str; 11] = [
    include_str!("model.js"),
    include_str!("dom.js"),
    include_str!("tables.js"),
    include_str!("treemap.js"),
    include_str!("neighbourhood.js"),
    include_str!("policies.js"),
    include_str!("package.js"),
    include_str!("search.js"),
    include_str!("machines.js"),
    include_str!("lists.js"),
    include_str!("main.js"),
];

/// Returns the page.
///
/// # Errors
/// None in practice: everything in it can be written as JSON.
pub fn page(
    planned: &PlannedKernel,
    document: &Document,
    machines: &[MachineHardware],
    layers: &[Layer],
) -> Result<String> {
    let data = PageData::new(planned, document, machines, layers);
    let json = html::json(&data)?;
    Ok(fill(PAGE, |slot| match slot {
        "style" => STYLE.into(),
        "errors" => ERRORS.into(),
        "script" => SCRIPTS.join("\n").into(),
        "data" => json.as_str().into(),
        "kernelrelease" => html::escape(data.kernelrelease).into(),
        "facts" => html::facts(&data).into(),
        "packages" => html::packages(&data).into(),
        unknown => format!("{{{{{unknown}}}}}").into(),
    }))
}

/// Fills the slots of a template, in one pass. What looks like a slot in a value stays as it is.
fn fill<'v>(template: &str, value: impl Fn(&str) -> Cow<'v, str>) -> String {
    let mut parts = template.split("{{");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (slot, rest) = part.split_once("}}").unwrap_or((part, ""));
        out += &value(slot);
        out += rest;
    }
    out
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use modtree::{ModuleFile, Record, Tree, resolve};
    use policy::{Layer, Policy};

    use super::*;
    use crate::identity::Identity;
    use crate::plan::plan;
    use crate::softdeps::Softdeps;

    const HOSTILE: &str = "</script><img src=x onerror=alert(1)><!--<script>{{style}}";

    fn record(path: &str, description: &str, depends: &[&str]) -> Record {
        let name = path.rsplit('/').next().unwrap().trim_end_matches(".ko");
        Record {
            file: ModuleFile {
                name: name.to_owned(),
                path: path.to_owned(),
            },
            bytes: 4096,
            size: 2048,
            description: Some(description.to_owned()),
            aliases: vec![format!("pci:{name}*")],
            depends: depends.iter().map(|&name| name.to_owned()).collect(),
            ..Record::default()
        }
    }

    fn planned(directory: &Path) -> PlannedKernel {
        let records = [
            record("kernel/drivers/net/card.ko", HOSTILE, &["helper"]),
            record("kernel/drivers/net/helper.ko", "helps", &[]),
            record("kernel/fs/unused.ko", "is in the way", &[]),
            record("kernel/lib/base.ko", "is always there", &[]),
        ];
        let records = records.into_iter().map(|one| (one, Vec::new(), Vec::new()));
        let release = "6.1.0-test".as_bytes().try_into().unwrap();
        let tree = Tree::from_records(release, records.collect(), Vec::new());
        let mut resolution = resolve(&tree, None);
        let rules = r#"
            [base]
            members = ["base"]
            [[set]]
            name = "both"
            members = ["helper", "unused"]
            [[pattern]]
            name = "odd"
            summary = '<b>"odd" & more</b>'
            members = ["card"]
        "#;
        let file = directory.join("rules.toml");
        std::fs::write(&file, rules).unwrap();
        let layers = [Layer::default_policy(), Layer::read(&file).unwrap()];
        let policy = Policy::from_layers(&layers).unwrap();
        let softdeps = Softdeps::resolve(&tree, &mut resolution, &policy);
        let plan = plan(&tree, &resolution, &policy, None).unwrap();
        PlannedKernel {
            tree,
            resolution,
            softdeps,
            policy,
            plan,
        }
    }

    fn identity(planned: &PlannedKernel) -> Identity {
        Identity {
            dialect: "suse".parse().unwrap(),
            two_dashes: false,
            flavor: "test".parse().unwrap(),
            kabi: "6.1.0_test".parse().unwrap(),
            evr: "6.1.0-1".to_owned(),
            image: "kernel-test-image".to_owned(),
            naming: planned.policy.naming.clone(),
        }
    }

    fn machine() -> MachineHardware {
        MachineHardware {
            name: "<i>box</i>".to_owned(),
            modaliases: vec!["pci:card1".to_owned()],
        }
    }

    fn written() -> String {
        let directory = tempfile::tempdir().unwrap();
        let planned = planned(directory.path());
        page_of(&planned)
    }

    fn page_of(planned: &PlannedKernel) -> String {
        let document = Document::new(planned, &identity(planned));
        page(planned, &document, &[machine()], &[Layer::default_policy()]).unwrap()
    }

    fn embedded(page: &str) -> serde_json::Value {
        let (_, rest) = page.split_once("id=\"data\">").unwrap();
        let (json, _) = rest.split_once("</script>").unwrap();
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_modules_say_of_themselves_stays_text() {
        let page = written();
        let data = embedded(&page);
        assert_eq!(data["modules"][0]["description"], HOSTILE);
        let patterns = data["patterns"].as_array().unwrap();
        let mut summaries = patterns.iter().map(|one| &one["summary"]);
        assert!(summaries.any(|summary| summary == "<b>\"odd\" & more</b>"));
        assert_eq!(data["machines"][0]["name"], "<i>box</i>");
        for tag in ["<img", "<b>", "<i>"] {
            assert!(!page.contains(tag), "{tag} came through");
        }
        assert_eq!(page.matches("</script>").count(), 3);
    }

    #[test]
    fn every_slot_is_filled() {
        let page = written().replace(&HOSTILE.replace('<', "\\u003c"), "");
        assert!(!page.contains("{{") && !page.contains("}}"));
        assert!(page.contains(STYLE) && page.contains("kernel-test-image"));
        assert_eq!(fill("a{{x}}b", |_| "{{x}}".into()), "a{{x}}b");
    }

    #[test]
    fn the_same_plan_gives_the_same_bytes() {
        // The page names the policy's file, so that must be the same, too.
        let directory = tempfile::tempdir().unwrap();
        let page = || {
            let planned = planned(directory.path());
            page_of(&planned)
        };
        assert!(page() == page());
    }

    #[test]
    fn the_image_package_comes_last() {
        let data = embedded(&written());
        let packages = data["packages"].as_array().unwrap();
        let image = packages.last().unwrap();
        assert_eq!(image["name"], "kernel-test-image");
        let base = &data["modules"][image["modules"][0].as_u64().unwrap() as usize];
        assert_eq!(base["name"], "base");
        assert_eq!(base["package"], packages.len() - 1);
    }

    #[test]
    fn the_page_loads_nothing_and_makes_no_markup() {
        let ours = [PAGE, STYLE, ERRORS].into_iter().chain(SCRIPTS);
        for text in ours {
            let text = text.replace("http://www.w3.org/2000/svg", "");
            for word in [
                "http:",
                "https:",
                "url(",
                "@import",
                "import(",
                "fetch(",
                "XMLHttp",
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "src=",
            ] {
                let line = text.lines().find(|line| line.contains(word));
                let line = line.filter(|line| !line.contains("Content-Security-Policy"));
                assert_eq!(line, None, "{word}");
            }
        }
    }

    #[test]
    fn a_machine_is_told_what_it_does_not_need() {
        let data = embedded(&written());
        let machine = &data["machines"][0];
        assert_eq!(machine["drivers"].as_array().unwrap().len(), 1);
        let packages = data["packages"].as_array().unwrap();
        let index = packages.iter().position(|one| one["stem"] == "both");
        let installed = machine["packages"].as_array().unwrap();
        let both = installed
            .iter()
            .find(|one| one["package"] == index.unwrap());
        // helper is needed, unused is not
        assert_eq!(both.unwrap()["unneeded"], 4096);
        assert_eq!(installed.len(), 2);
    }
}
