// Shows everything about one package.

function packageView(state) {
  const one = findPackage(state.get("package"));
  if (!one) return [heading("Package"), note(`There is no package ${state.get("package")}.`)];
  return [
    heading(one.name, element("small", {}, one.summary ?? one.part)),
    packageFacts(one),
    ...whoWantsIt(one),
    neighbourhood(one, state),
    modulesOf(one, state.get("module")),
  ];
}

function packageFacts(one) {
  const along = withNeeds([one.id]);
  const facts = [
    ["size", size(one.bytes)],
    ["of all modules", percent(one.bytes, allBytes)],
    ["modules", one.modules.length],
    ["needs", count(one.needs.length, "package")],
    ["needed by", count(one.users.length, "package")],
    ["with all it needs", `${count(along.length, "package")}, ${size(sumOfBytes(along))}`],
    ["part", link(one.part, { map: one.part })],
  ];
  if (!one.supported) facts.push(["support", "unsupported"]);
  const shown = facts.map(([term, value]) => {
    return element("div", {}, element("dt", {}, term), element("dd", {}, value));
  });
  return element("dl", { class: "facts" }, ...shown);
}

function whoWantsIt(one) {
  const wishes = [];
  if (machines.length > 0) {
    const links = one.machines.map((machine) => link(machine.name, { machine: machine.name }));
    const all = links.length ? listed(links) : ["no machine"];
    wishes.push(element("p", {}, "Installed on ", ...all, "."));
  }
  if (one.patterns.length > 0) {
    const links = one.patterns.map((pattern) => link(pattern.name, { pattern: pattern.name }));
    wishes.push(element("p", {}, "Required by ", ...listed(links), "."));
  }
  return wishes;
}

function neighbourhood(one, state) {
  const drawing = svg("svg", { class: "graph", role: "group", "aria-label": "Package graph" });
  const frame = element("div", {
    class: "scroll graph", tabindex: 0, role: "region",
    "aria-label": "What needs the package, to the left, and what it needs, to the right",
  }, drawing);
  const depths = { users: depthOf(state, "users", 1), needs: depthOf(state, "needs", 9) };
  const more = element("button", { type: "button" });
  let all = false;
  const redraw = () => {
    const { hidden, at } = drawNeighbourhood(drawing, one, depths, all);
    more.hidden = hidden === 0;
    more.textContent = `Show ${hidden} more`;
    requestAnimationFrame(() => {
      frame.scrollLeft = at.x + (NODE.width - frame.clientWidth) / 2;
      frame.scrollTop = at.y + (NODE.height - frame.clientHeight) / 2;
    });
  };
  const slider = (side, label) => depthSlider(label, depths[side], (depth) => {
    depths[side] = depth;
    const kept = { package: one.name, module: state.get("module") ?? undefined };
    history.replaceState(null, "", fragment({ ...kept, ...depths }));
    redraw();
  });
  more.addEventListener("click", () => {
    all = true;
    redraw();
  });
  redraw();
  return element("section", {},
    element("h3", {}, "Graph"),
    element("div", { class: "tools" },
      slider("users", "Needed by, steps"), slider("needs", "Needs, steps"), more),
    frame);
}

function depthOf(state, side, otherwise) {
  const depth = Number.parseInt(state.get(side), 10);
  return depth >= 0 && depth <= 9 ? depth : otherwise;
}

function depthSlider(label, depth, changed) {
  const input = element("input", { type: "range", min: 0, max: 9, value: depth });
  const shown = element("output", {}, String(depth));
  input.addEventListener("input", () => {
    shown.textContent = input.value;
    changed(Number(input.value));
  });
  return element("label", {}, `${label} `, input, " ", shown);
}

function modulesOf(one, chosen) {
  const columns = [
    { head: "module", cell: (module) => moduleCell(module) },
    sizeColumn("file", (module) => module.bytes),
    sizeColumn("in memory", (module) => module.size),
    { ...countColumn("aliases", (module) => module.aliases.length), cell: aliasCell },
    { head: "needs", long: true, cell: (module) => moduleLinks(module.needs) },
    { head: "needed by", long: true, cell: (module) => moduleLinks(module.users) },
    { head: "it is here because", long: true, cell: (module) => withRule(module.why) },
  ];
  const rows = one.modules.map((id) => modules[id]);
  const mark = (module) => (module.path === chosen ? { class: "chosen" } : {});
  return element("section", {}, element("h3", {}, "Modules"), table(columns, rows, mark));
}

function moduleCell(module) {
  const description = module.description ? element("span", {}, module.description) : null;
  return element("div", { class: "module" },
    element("strong", {}, module.name), description, element("code", {}, module.path));
}

// Shows the number, and the aliases after a click.
function aliasCell(module) {
  const number = String(module.aliases.length);
  if (module.aliases.length === 0) return number;
  const items = module.aliases.map((alias) => element("li", {}, element("code", {}, alias)));
  return element("details", { class: "aliases" },
    element("summary", {}, number), element("ul", {}, ...items));
}

// Shows the first few, and the rest after a click.
function moduleLinks(ids) {
  const some = 8;
  const links = ids.map((id) => moduleLink(modules[id]));
  if (links.length <= some) return listed(links);
  const rest = element("details", {},
    element("summary", {}, `${links.length - some} more`), ...listed(links.slice(some)));
  return [...listed(links.slice(0, some)), rest];
}
