use std::path::Path;
use std::time::Instant;
fn main() {
    let root = std::env::args().nth(1).unwrap();
    let t = Instant::now();
    let kernel = modtree::KernelFiles::find(Path::new(&root), None).unwrap();
    let tree = modtree::Tree::scan(&kernel.release, &kernel.modules).unwrap();
    println!("scan {:?} {}", t.elapsed(), tree.modules.len());
    let t = Instant::now();
    let sym = kernel.symvers.as_ref().map(|s| modtree::kernel_exports(&kmodule::Symvers::open(s).unwrap()));
    let r = modtree::resolve(&tree, sym.as_ref());
    println!("resolve {:?} diffs {}", t.elapsed(), r.differences.len());
    for d in r.differences.iter().take(5) { println!("  {}", d.describe(&tree)); }
    let files: Vec<std::path::PathBuf> = std::env::args().skip(2).map(Into::into).collect();
    let policy = policy::Policy::from_layers(&policy::layers(None, &files).unwrap()).unwrap();
    let t = Instant::now();
    let plan = kmp_split::plan::plan(&tree, &r, &policy, None).unwrap_or_else(|e| panic!("{e}"));
    println!("plan {:?} {} packages, image {}, patterns {}", t.elapsed(), plan.packages.len(), plan.image().count(), plan.patterns.len());
    if std::env::var("LIST").is_ok() {
    for (_, p) in plan.packages.iter() {
        println!("{} {} {}: {}", p.stem, p.modules.iter().map(|&m| tree.modules[m].bytes).sum::<u64>() >> 10, p.modules.len(), p.modules.iter().map(|&m| tree.modules[m].file.name.as_str()).collect::<Vec<_>>().join(" "));
    } }
    // machines
    let total: u64 = tree.modules.values().map(|m| m.bytes).sum();
    for m in ["virtio-guest", "laptop-intel", "laptop-amd", "server"] {
        let Ok(text) = std::fs::read_to_string(format!("/tmp/machines-fetched/{m}.modalias")) else { continue };
        let aliases: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).collect();
        let mut open = Vec::new(); let mut raw: Vec<modtree::ModuleId> = Vec::new();
        for (id, rec) in tree.modules.iter() {
            let hit = rec.aliases.iter().filter(|a| a.contains(':')).any(|a| { let p = glob::Pattern::new(&a.replace("**","*")); p.map(|p| aliases.iter().any(|m| p.matches(m))).unwrap_or(false) });
            if hit { raw.push(id); if let Some(p) = plan.package_of(id) { open.push(p); } }
        }
        let mut seen: std::collections::BTreeSet<_> = open.iter().copied().collect();
        while let Some(p) = open.pop() { for &n in &plan.packages[p].needs { if seen.insert(n) { open.push(n); } } }
        let bytes: u64 = seen.iter().flat_map(|&p| &plan.packages[p].modules).map(|&m| tree.modules[m].bytes).sum();
        let mut rs: std::collections::BTreeSet<_> = raw.iter().copied().collect();
        while let Some(p) = raw.pop() { for &n in &r.needs[p] { if rs.insert(n) { raw.push(n); } } }
        let rb: u64 = rs.iter().map(|&m| tree.modules[m].bytes).sum();
        println!("{m}: {} packages, {:.4} (per module {:.4})", seen.len(), bytes as f64/total as f64, rb as f64/total as f64);
    }
}
