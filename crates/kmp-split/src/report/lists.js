// The lists of patterns, warnings, moved modules and excluded modules.

function patternsView(state) {
  if (patterns.length === 0) return [heading("Patterns"), note("The policy has no pattern.")];
  const columns = [
    { head: "pattern", cell: (one) => link(one.name, { pattern: one.name }) },
    { head: "what it is", long: true, cell: (one) => one.summary },
    countColumn("packages", (one) => one.packages.length),
    sizeColumn("size", (one) => sumOfBytes(one.packages.map((id) => packages[id]))),
    countColumn("with all they need", (one) => withNeeds(one.packages).length),
    sizeColumn("size of these", (one) => sumOfBytes(withNeeds(one.packages))),
  ];
  const chosen = patterns.find((one) => one.name === state.get("pattern"));
  const mark = (one) => (one === chosen ? { class: "chosen" } : {});
  const more = chosen ? patternParts(chosen) : [];
  return [heading("Patterns"), table(columns, patterns, mark), ...more];
}

function patternParts(pattern) {
  const required = pattern.packages.map((id) => packages[id]).sort(bySize);
  const others = withNeeds(pattern.packages).filter((one) => !pattern.packages.includes(one.id));
  const parts = [element("h3", {}, pattern.name), packageLinks(required)];
  if (others.length > 0) {
    parts.push(element("h3", {}, "Needed by these"), packageLinks(others.sort(bySize)));
  }
  return parts;
}

function warningCount() {
  return data.warnings.length;
}

function warningsView() {
  const excluded = excludedModules();
  return [
    heading("Warnings"),
    data.warnings.length ? warningList() : note("There is no warning."),
    element("h3", {}, "Moved since the earlier plan"),
    data.moved.length ? movedTable() : note("No module moved, or no earlier plan was given."),
    element("h3", {}, "Excluded"),
    excluded.length ? excludedTable(excluded) : note("All modules are in packages."),
  ];
}

function warningList() {
  const items = data.warnings.map((text) => element("li", { class: "warning" }, ...withRule(text)));
  return element("ul", { class: "warnings" }, ...items);
}

function movedTable() {
  return table([
    { head: "module", cell: (row) => element("code", {}, modules[row.module].path) },
    { head: "was in", cell: (row) => row.from },
    { head: "is in", cell: (row) => placeOf(modules[row.module]) },
  ], data.moved);
}

function placeOf(module) {
  return module.package === null ? "no package" : packageLink(packages[module.package]);
}

function excludedTable(excluded) {
  return table([
    { head: "module", cell: (one) => element("code", {}, one.path) },
    sizeColumn("size", (one) => one.bytes),
    { head: "because", long: true, cell: (one) => withRule(one.why) },
  ], excluded);
}
