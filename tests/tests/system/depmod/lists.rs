//! modules.order, modules.builtin and modules.builtin.modinfo as they are and as they should not
//! be.

use anyhow::Result;
use kmpkit_tests::depmod::compare;

use crate::depmod::scene::{MODULES, small};

fn order(lines: &[&str]) -> String {
    let line = |name: &&str| format!("kernel/{name}.ko\n");
    lines.iter().map(line).collect()
}

#[test]
fn no_lists() -> Result<()> {
    compare(&small()?, &[]).map(drop)
}

#[test]
fn orders() -> Result<()> {
    let tree = small()?;
    let whole = order(&MODULES);
    let repeated = order(&["fuse", "tun", "loop", "fuse", "btrfs", "tun"]);
    let long = format!("kernel/{}.ko\nkernel/fuse.ko\n", "x".repeat(5000));
    let edge = format!("{}\nkernel/fuse.ko\n", "x".repeat(4095));
    for text in [
        whole.clone(),
        order(&["snd-pcm", "snd", "fuse"]),
        repeated.clone(),
        String::new(),
        "\n\nkernel/fuse.ko\n\n".to_owned(),
        "kernel/fuse.ko\nkernel/tun.ko".to_owned(),
        "kernel/fuse.ko\0x\nkernel/tun.ko\n".to_owned(),
        "kernel/fuse.ko\n\0\nkernel/tun.ko\n".to_owned(),
        "kernel/fuse.ko\r\nkernel/tun.ko \nkernel/loop.ko\n".to_owned(),
        "kernel/snd_pcm.ko\nkernel/snd-pcm.ko.xz\n".to_owned(),
        long,
        edge,
    ] {
        tree.write("modules.order", text)?;
        compare(&tree, &[])?;
    }
    Ok(())
}

#[test]
fn builtin_names() -> Result<()> {
    let tree = small()?;
    for text in [
        "kernel/fs/ext4/ext4.ko\nkernel/drivers/a-b.ko\nkernel/drivers/a_b.ko\n",
        "",
        "ext4.ko\nkernel/no-extension\n\n/absolute.ko\n#x.ko\nkernel/cut.ko",
        "kernel/x.y.ko\nkernel/x.ko\0y\nkernel/.ko\n",
        // A line without a name has that of the line before.
        "kernel/a.ko\nkernel/foo/",
        "kernel/a.ko\nkernel/b/\0x\nkernel/c.ko\nkernel/\n",
        &format!("kernel/a.ko\nkernel/{}/b.ko\n", "x".repeat(4087)),
    ] {
        tree.write("modules.builtin", text)?;
        compare(&tree, &[])?;
    }
    Ok(())
}

#[test]
fn builtin_aliases() -> Result<()> {
    let tree = small()?;
    tree.write("modules.builtin", "kernel/fs/ext4/ext4.ko\n")?;
    let long = format!("a.alias={}\0b.alias=x\0", "y".repeat(5000));
    let edge = |length: usize| format!("a.alias={}\0b.alias=x\0", "y".repeat(length));
    let name = |length: usize| format!("{}.alias=x\0b.alias=x\0", "y".repeat(length));
    for text in [
        "ext4.license=GPL\0ext4.alias=fs-ext4\0ext4.alias=fs-ext3\0ext2.alias=fs-ext4\0".to_owned(),
        String::new(),
        "a.alias=[x-y]-z\0a.alias=[x\0a.alias=x]\0a.alias=\0a.alias=last".to_owned(),
        "nodot\0a.nokey\0b.alias=eaten\0c.alias=kept\0\0\0d.alias=x.y=z\0".to_owned(),
        "a.description=with a . and = in it\0a.aliasx=no\0.alias=nameless\0".to_owned(),
        "a.description=line\nfeed\0a.alias=line\nfeed\0".to_owned(),
        edge(4094),
        edge(4095),
        edge(4096),
        edge(4097),
        name(4094),
        name(4096),
        name(4097),
        long,
    ] {
        tree.write("modules.builtin.modinfo", text)?;
        compare(&tree, &[])?;
    }
    Ok(())
}
