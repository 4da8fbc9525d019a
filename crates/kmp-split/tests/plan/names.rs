//! Tests how long names of packages may be, wherever they come from.

use kmp_split::{Document, Identity};
use policy::{GroupBy, Layer, Policy};

use crate::plan_case::{PlanCase, Planned, identity};
use crate::rules::Rules;
use crate::test_kernel::TestKernel;

/// What the file name of a package has beside the name, at most: `-6.1.0-50.ppc64iseries.rpm`.
const BESIDE_NAME: usize = 26;

fn plan(path: &str, rules: Rules) -> Planned {
    let kernel = TestKernel::written(&[(path, &[])]);
    PlanCase { kernel, rules }.plan(None).unwrap()
}

fn check(planned: &Planned, identity: &Identity) -> Result<(), String> {
    let checked = identity.check(&planned.plan);
    checked.map_err(|error| error.to_string())
}

#[test]
fn the_file_of_a_package_can_have_its_name() {
    let longest = 255 - BESIDE_NAME - "-kmp-amd64".len();
    for (length, is_possible) in [(longest, true), (longest + 1, false), (300, false)] {
        let path = format!("kernel/fs/{}", "a".repeat(length));
        let planned = plan(&path, Rules::grouping(GroupBy::PerModule));
        let checked = check(&planned, &identity(&planned));
        assert_eq!(checked.is_ok(), is_possible, "{length}");
    }
}

#[test]
fn the_version_takes_room_from_the_name() {
    let planned = plan("kernel/fs/a", Rules::grouping(GroupBy::PerModule));
    let mut identity = identity(&planned);
    identity.evr = format!("1:{}-1", "6".repeat(200));
    assert!(check(&planned, &identity).is_ok());
    identity.evr = format!("1:{}-1", "6".repeat(230));
    let error = check(&planned, &identity).unwrap_err();
    assert!(error.contains("it may have 5,"), "{error}");
}

#[test]
fn the_image_package_has_a_possible_name() {
    let planned = plan("kernel/fs/a", Rules::grouping(GroupBy::PerModule));
    let mut identity = identity(&planned);
    for image in ["a b", "", &"a".repeat(65_533)] {
        identity.image = image.to_owned();
        assert!(check(&planned, &identity).is_err(), "{}", image.len());
    }
}

/// Such a name was more than the width of a table can be.
#[test]
fn policies_and_earlier_plans_have_possible_names() {
    let long = "a".repeat(65_533);
    let layer = Layer::new("p.toml", format!("[[set]]\nname = '{long}'\n"));
    let error = Policy::from_layers(&[layer]).unwrap_err().to_string();
    assert!(error.starts_with("p.toml:2: "), "{error}");
    let planned = plan("kernel/fs/a", Rules::grouping(GroupBy::PerModule));
    let json = planned
        .json()
        .replace("\"stem\": \"a\"", &format!("\"stem\": \"{long}\""));
    let from_plan = Document::parse(json.as_bytes()).unwrap_err().to_string();
    for error in [error, from_plan] {
        assert!(error.contains("it has 65533 bytes"), "{error}");
        assert!(error.len() < 300, "{error}");
    }
}
