//! A directory of a real kernel as a set, and what mends the circles that it makes.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use kmp_split::PlanInputs;
use kmp_split::plan::{NamedCure, PlanError, plan};
use kmpkit_tests::{Kernel, cache_dir};
use policy::{Layer, Policy};

fn policy(directory: &str, join: &[String], leave: &[String]) -> Result<Policy> {
    let text = format!(
        "[grouping]\nby = 'per-module'\n[[set]]\nname = 'whole'\nmembers = {:?}\nexcept = {leave:?}\n",
        [&[directory.to_owned()], join].concat()
    );
    let layers = [Layer::default_policy(), Layer::new("set.toml", text)];
    Ok(Policy::from_layers(&layers)?)
}

#[test]
fn one_or_two_modules_mend_every_directory() -> Result<()> {
    let kernel = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let inputs = PlanInputs {
        root: &kernel.root,
        release: None,
        build_root: None,
        system_policy: Path::new("/no/policy"),
        policy: &[],
        previous: None,
    };
    let planned = inputs.plan()?;
    let modules = planned.tree.modules.values();
    let directories = modules.filter_map(|record| {
        let mut parts = record.file.path.split('/').skip(1);
        match (parts.next()?, parts.next()?) {
            ("drivers", name) if !name.contains('.') => Some(format!("kernel/drivers/{name}/")),
            (area, _) => Some(format!("kernel/{area}/")),
        }
    });
    let mut circular = 0;
    for directory in directories.collect::<BTreeSet<_>>() {
        let make = |join: &[String], leave: &[String]| -> Result<Result<(), PlanError>> {
            let policy = policy(&directory, join, leave)?;
            Ok(plan(&planned.tree, &planned.resolution, &policy, None).map(drop))
        };
        let circles = match make(&[], &[])? {
            Ok(()) => continue,
            Err(PlanError::Circles(circles)) => circles,
            Err(error) => bail!("{directory}: {error}"),
        };
        circular += 1;
        let (mut join, mut leave) = (Vec::new(), Vec::new());
        for cure in circles.into_iter().flat_map(|circle| circle.cures) {
            match cure {
                NamedCure::Join(_, paths) => join.extend(paths),
                NamedCure::Leave(_, paths) => leave.extend(paths),
                NamedCure::Together(paths) => bail!("{directory}: {paths:?}"),
            }
        }
        println!("{directory}: put in {join:?}, leave out {leave:?}");
        assert!(join.len() + leave.len() <= 2, "{directory}: many modules");
        make(&join, &leave)?.with_context(|| format!("{directory}: not mended"))?;
    }
    assert!(circular >= 4, "{circular} directories make a circle");
    Ok(())
}
