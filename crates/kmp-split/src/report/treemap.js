// Draws a map of the packages: an area for each part of the kernel, and in it an area for each
// package, as large as its bytes. The method is from Bruls, Huizing, van Wijk, "Squarified Treemaps",
// 2000.

const PART_HEAD = 18;
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// The view of all parts, or of the part that the address names.
function mapView(state) {
  const part = parts.get(state.get("map"));
  const machine = machines.find((one) => one.name === state.get("machine"));
  const told = element("p", { class: "told", "aria-live": "polite" }, hint());
  const drawing = svg("svg", { class: "map", role: "group", "aria-label": "Packages by size" });
  const redraw = () => drawMap(drawing, part, machine, told);
  whenResized(drawing, redraw);
  return [
    heading(part ? part.name : "Packages by size", mapFacts(part)),
    element("div", { class: "tools" },
      machineChoice(part, machine), part ? wayBack(machine) : null),
    drawing,
    told,
  ];
}

function hint() {
  return "Choose an area to see the package, a heading to see its part of the kernel; arrow keys move.";
}

function mapFacts(part) {
  const shown = part ? part.packages : packages;
  const text = `${count(shown.length, "package")}, ${size(sumOfBytes(shown))}`;
  return element("small", {}, text);
}

function wayBack(machine) {
  return link("All parts of the kernel", { map: "", machine: machine?.name });
}

function machineChoice(part, chosen) {
  if (machines.length === 0) return null;
  const select = element("select", {}, element("option", { value: "" }, "all packages"));
  for (const one of machines) {
    select.append(element("option", { value: one.name, selected: one === chosen }, one.name));
  }
  select.addEventListener("change", () => {
    location.hash = fragment({ map: part?.name ?? "", machine: select.value || undefined });
  });
  return element("label", {}, "Highlight what is installed on ", select);
}

function whenResized(drawing, redraw) {
  // Draws as soon as the view is in the page. An observer waits for a frame, which a busy machine
  // may show late.
  queueMicrotask(() => {
    if (drawing.getBoundingClientRect().width > 0) redraw();
  });
  const observer = new ResizeObserver(([entry]) => {
    if (entry.contentRect.width > 0) redraw();
  });
  observer.observe(drawing);
}

function drawMap(drawing, part, machine, told) {
  const { width, height } = drawing.getBoundingClientRect();
  drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const whole = { x: 0, y: 0, width, height };
  const areas = part ? [{ item: part, box: whole }] : squarify([...parts.values()], whole);
  const cells = [];
  drawing.replaceChildren(...areas.map(({ item, box }) => drawPart(item, box, machine, cells)));
  makeWalkable(drawing, cells, told);
}

function drawPart(part, box, machine, cells) {
  const group = tinted(svg("g", { class: "part" }), part.hue);
  const hasHead = box.width > 36 && box.height > 2 * PART_HEAD;
  if (hasHead) group.append(partHead(part, box, machine));
  const inside = hasHead
    ? { ...box, y: box.y + PART_HEAD, height: box.height - PART_HEAD }
    : box;
  for (const { item, box: place } of squarify(part.packages, shrunk(inside, 1))) {
    const cell = drawCell(item, place, machine);
    cells.push({ cell, item, box: place });
    group.append(cell);
  }
  return group;
}

function partHead(part, box, machine) {
  const fitting = (name) => cut(name, box.width - 6, "bold 12px");
  const whole = fitting(part.name);
  const name = whole === part.name ? whole : fitting(part.name.split("/").at(-1));
  const text = svg("text", { x: box.x + 4, y: box.y + PART_HEAD - 5 }, name);
  const href = fragment({ map: part.name, machine: machine?.name });
  const title = svg("title", {}, part.name);
  return svg("a", { href, class: "head", "aria-label": part.name }, title, text);
}

function drawCell(one, box, machine) {
  const absent = machine && !one.machines.includes(machine);
  const cell = svg("a", {
    href: fragment({ package: one.name }),
    class: absent ? "cell absent" : "cell",
    "aria-label": describe(one),
    tabindex: -1,
  });
  const { x, y, width, height } = shrunk(box, 0.5);
  cell.append(svg("title", {}, describe(one)), svg("rect", { x, y, width, height }));
  if (height > 16) {
    cell.append(svg("text", { x: x + 4, y: y + 14 }, cut(shortName(one), width - 6, "12px")));
  }
  if (height > 32 && width > 60) {
    cell.append(svg("text", { x: x + 4, y: y + 28, class: "bytes" }, size(one.bytes)));
  }
  return cell;
}

// The name without what the heading of its part has already: net-usb below drivers/net is usb.
function shortName(one) {
  const said = `${one.part.split("/").at(-1)}-`;
  return one.stem.startsWith(said) ? one.stem.slice(said.length) : one.stem;
}

function describe(one) {
  const users = count(one.users.length, "package needs it", "packages need it");
  const inside = count(one.modules.length, "module");
  return `${one.name}: ${one.part}, ${size(one.bytes)}, ${inside}; ${users}`;
}

function shrunk(box, by) {
  return {
    x: box.x + by,
    y: box.y + by,
    width: Math.max(box.width - 2 * by, 0),
    height: Math.max(box.height - 2 * by, 0),
  };
}

// The tab key reaches one cell. The arrow keys lead from it to the others.
function makeWalkable(drawing, cells, told) {
  const ofCell = new Map(cells.map((one) => [one.cell, one]));
  cells[0]?.cell.setAttribute("tabindex", 0);
  const tell = (event) => {
    told.textContent = describe(ofCell.get(event.currentTarget).item);
  };
  for (const { cell } of cells) {
    cell.addEventListener("pointerenter", tell);
    cell.addEventListener("focus", tell);
  }
  drawing.onkeydown = (event) => {
    const from = ofCell.get(event.target.closest(".cell"));
    const step = STEPS[event.key];
    if (!from || !step) return;
    event.preventDefault();
    walk(from, nearest(from.box, cells, step));
  };
}

function walk(from, to) {
  if (!to) return;
  from.cell.setAttribute("tabindex", -1);
  to.cell.setAttribute("tabindex", 0);
  to.cell.focus();
}

// The nearest cell in a direction. The distance across the direction counts twice.
function nearest(from, cells, [dx, dy]) {
  let best = null;
  let least = Infinity;
  const start = middle(from);
  for (const one of cells) {
    const end = middle(one.box);
    const [right, down] = [end.x - start.x, end.y - start.y];
    const along = dx * right + dy * down;
    const off = dy * right + dx * down;
    const distance = along + 2 * Math.abs(off);
    if (along > 0.5 && distance < least) [best, least] = [one, distance];
  }
  return best;
}

function middle(box) {
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

// Lays out boxes for items with bytes, the largest first. They are in rows along the shorter side, and
// as close to squares as that allows.
function squarify(items, box) {
  const placed = [];
  let free = box;
  let rest = items.reduce((sum, one) => sum + weight(one), 0);
  let from = 0;
  while (from < items.length) {
    const scale = (free.width * free.height) / rest;
    const row = takeRow(items, from, Math.min(free.width, free.height), scale);
    free = placeRow(placed, row, free, scale);
    rest -= row.reduce((sum, one) => sum + weight(one), 0);
    from += row.length;
  }
  return placed;
}

function weight(one) {
  return Math.max(one.bytes, 1);
}

// Takes items into a row while its worst shape gets better.
function takeRow(items, from, side, scale) {
  const most = weight(items[from]) * scale;
  let sum = most;
  let worst = worstShape(sum, most, most, side);
  let end = from + 1;
  while (end < items.length) {
    const least = weight(items[end]) * scale;
    const next = worstShape(sum + least, most, least, side);
    if (next > worst) break;
    sum += least;
    worst = next;
    end += 1;
  }
  return items.slice(from, end);
}

function worstShape(sum, most, least, side) {
  return Math.max((side * side * most) / (sum * sum), (sum * sum) / (side * side * least));
}

// Puts a row at the left or at the top of the free area. Returns the area that is still free.
function placeRow(placed, row, free, scale) {
  const upright = free.width >= free.height;
  const side = upright ? free.height : free.width;
  const area = row.reduce((sum, one) => sum + weight(one), 0) * scale;
  const depth = side > 0 ? area / side : 0;
  let along = 0;
  for (const item of row) {
    const length = depth > 0 ? (weight(item) * scale) / depth : 0;
    const box = upright
      ? { x: free.x, y: free.y + along, width: depth, height: length }
      : { x: free.x + along, y: free.y, width: length, height: depth };
    placed.push({ item, box });
    along += length;
  }
  return upright
    ? { ...free, x: free.x + depth, width: Math.max(free.width - depth, 0) }
    : { ...free, y: free.y + depth, height: Math.max(free.height - depth, 0) };
}
