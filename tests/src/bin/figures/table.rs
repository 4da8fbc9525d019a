//! Turns figures into Markdown.

use crate::Figures;
use crate::bounds::share;
use crate::installation::{Installation, MachineFigures};
use crate::repository::Repository;
use crate::split::Split;

/// Prints the tables of one kernel.
pub fn print(figures: &Figures) {
    let release = &figures.kernel.release;
    println!("\n### Linux {release}\n");
    println!("| repository | whole kernel | default policy | per-module policy |");
    println!("| --- | ---: | ---: | ---: |");
    let row = |what: &str, cell: &dyn Fn(&Repository) -> String| {
        let cells = figures.repositories.each().map(cell);
        println!("| {what} | {} |", cells.join(" | "));
    };
    let whole = &figures.repositories.whole;
    row("kernel module packages", &|repository| {
        thousands(repository.kmps().count() as u64)
    });
    row(
        "packages without files: patterns, and those of all or some drivers",
        &|repository| repository.without_files().to_string(),
    );
    row("image package, MB", &|repository| {
        mb(repository.image_bytes())
    });
    row("largest kernel module package, MB", &|repository| {
        let largest = repository.kmps().max_by_key(|(_, bytes)| *bytes);
        largest.map_or("–".to_owned(), |(name, bytes)| {
            format!("`{name}` {}", mb(bytes))
        })
    });
    row("all rpms, MB", &|repository| {
        with_share(mb(repository.bytes()), repository.bytes(), whole.bytes())
    });
    row("metadata, MB", &|repository| mb(repository.metadata));
    row("notice that names all rpms, kB", &|repository| {
        format!("{:.1}", repository.notice as f64 / 1e3)
    });
    println!(
        "\n| machine | packaged by | packages | download, MB | with metadata | modules, MB | `zypper install`, s |"
    );
    println!("| --- | --- | ---: | ---: | ---: | ---: | ---: |");
    for machine in &figures.machines {
        for split in [Split::Whole, Split::Default, Split::PerModule] {
            machine_row(machine, split);
        }
    }
    println!();
}

fn machine_row(figures: &MachineFigures, split: Split) {
    let (this, whole) = (figures.installed.get(split), &figures.installed.whole);
    let bytes = |of: fn(&Installation) -> u64| match split {
        Split::Whole => mb(of(this)),
        _ => with_share(mb(of(this)), of(this), of(whole)),
    };
    let seconds = match split {
        Split::Whole => format!("{:.1}", this.seconds),
        _ => format!("{:.1} ({:.2})", this.seconds, this.seconds / whole.seconds),
    };
    println!(
        "| {} | {split} | {} | {} | {} | {} | {seconds} |",
        match split {
            Split::Whole => figures.machine.description,
            _ => "",
        },
        this.packages,
        bytes(|of| of.rpms),
        bytes(|of| of.rpms + of.metadata),
        bytes(|of| of.modules),
    );
}

fn with_share(shown: String, part: u64, whole: u64) -> String {
    format!("{shown} ({:.3})", share(part, whole))
}

fn mb(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

fn thousands(number: u64) -> String {
    match (number / 1000, number % 1000) {
        (0, rest) => rest.to_string(),
        (thousands, rest) => format!("{thousands},{rest:03}"),
    }
}
