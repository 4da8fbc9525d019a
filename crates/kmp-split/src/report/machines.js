// Shows what each machine installs, for which drivers, and how many bytes it does not need.

function machinesView(state) {
  if (machines.length === 0) {
    return [heading("Machines"), note("No machine was named: kmp-split report --machine FILE.")];
  }
  const one = machines.find((machine) => machine.name === state.get("machine")) ?? machines[0];
  return [
    heading("Machines"),
    machineTable(one),
    element("h3", {}, one.name, element("small", {}, count(one.devices, "modalias", "modaliases"))),
    element("p", {}, link("See it on the map", { map: "", machine: one.name })),
    ...driversElsewhere(one),
    installedTable(one),
  ];
}

function bytesOn(machine) {
  const image = packages.filter((one) => one.image);
  const installed = machine.packages.map((one) => packages[one.package]);
  return sumOfBytes([...installed, ...image]);
}

function unneededOn(machine) {
  return machine.packages.reduce((sum, one) => sum + one.unneeded, 0);
}

function machineTable(chosen) {
  const columns = [
    { head: "machine", cell: (one) => machineLink(one, chosen) },
    countColumn("drivers", (one) => one.drivers.length),
    countColumn("packages", (one) => one.packages.length),
    sizeColumn("modules installed", bytesOn),
    { head: "of all modules", number: true, cell: shareCell, value: bytesOn },
    sizeColumn("not needed", unneededOn),
    {
      head: "of the installed", number: true,
      cell: (one) => percent(unneededOn(one), bytesOn(one)),
      value: (one) => unneededOn(one) / Math.max(bytesOn(one), 1),
    },
  ];
  return table(columns, machines, (one) => (one === chosen ? { class: "chosen" } : {}));
}

function machineLink(one, chosen) {
  const current = { "aria-current": one === chosen ? "true" : undefined };
  return link(one.name, { machine: one.name }, current);
}

function shareCell(one) {
  const value = bytesOn(one) / Math.max(allBytes, 1);
  const bar = element("meter", { min: 0, max: 1, value, "aria-hidden": "true" });
  return [bar, " ", percent(bytesOn(one), allBytes)];
}

// Drivers that are in no kernel module package: those of the image and the excluded ones.
function driversElsewhere(machine) {
  const drivers = machine.drivers.map((id) => modules[id]);
  const inImage = drivers.filter((one) => one.package !== null && packages[one.package].image);
  const excluded = drivers.filter((one) => one.package === null);
  const told = [];
  if (inImage.length > 0) {
    const links = listed(inImage.map(moduleLink));
    told.push(element("p", {}, "Drivers in the image package: ", ...links, "."));
  }
  if (excluded.length > 0) {
    const names = excluded.map((one) => one.path).join(", ");
    told.push(element("p", { class: "warning" }, `Asked for, but excluded: ${names}.`));
  }
  return told;
}

function installedTable(machine) {
  const rows = machine.packages.map((one) => ({ ...one, of: packages[one.package] }));
  rows.sort((a, b) => b.unneeded - a.unneeded || bySize(a.of, b.of));
  const drivers = new Set(machine.drivers);
  const installed = new Set(machine.packages.map((one) => one.package));
  const columns = [
    { head: "package", cell: (row) => packageLink(row.of) },
    sizeColumn("size", (row) => row.of.bytes),
    sizeColumn("not needed", (row) => row.unneeded),
    { head: "because of", long: true, cell: (row) => cause(row.of, drivers, installed) },
  ];
  return table(columns, rows);
}

function cause(one, drivers, installed) {
  const wanted = one.modules.filter((id) => drivers.has(id)).map((id) => moduleLink(modules[id]));
  if (wanted.length > 0) return ["hardware: ", ...listed(wanted)];
  const users = one.users.filter((id) => installed.has(id)).map((id) => packageLink(packages[id]));
  return ["needed by ", ...listed(users)];
}
