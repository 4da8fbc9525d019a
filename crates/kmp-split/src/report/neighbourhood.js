// Draws a package with the packages that need it (left) and those that it needs (right).

const NODE = { width: 178, height: 24, across: 240, down: 32 };
const MANY = 24;

// side: "users" or "needs". Returns the packages up to the distance `depth`. Of each distance it
// returns only the largest ones, unless all are wanted.
function reach(centre, side, depth, all) {
  const found = new Set([centre.id]);
  let hidden = 0;
  let ring = [centre];
  for (let distance = 1; distance <= depth && ring.length > 0; distance += 1) {
    const next = new Set(ring.flatMap((one) => one[side]).filter((id) => !found.has(id)));
    const sorted = [...next].map((id) => packages[id]).sort(bySize);
    ring = all ? sorted : sorted.slice(0, MANY);
    hidden += sorted.length - ring.length;
    for (const one of ring) found.add(one.id);
  }
  return { found, hidden };
}

// Puts packages into columns, so that each is to the left of those that it needs. The longest way
// from the centre counts. Packages do not need each other in a circle.
function columnsOf(centre, found, side) {
  const inwards = side === "needs" ? "users" : "needs";
  const levels = new Map([[centre.id, 0]]);
  const level = (id) => {
    if (!levels.has(id)) {
      const nearer = packages[id][inwards].filter((other) => found.has(other));
      levels.set(id, 1 + Math.max(...nearer.map(level)));
    }
    return levels.get(id);
  };
  const made = [];
  for (const id of found) {
    const place = level(id);
    (made[place] ??= []).push(packages[id]);
  }
  return made;
}

// Sorts each column by the positions of its packages' neighbours, so that fewer lines cross.
function untangle(made, found) {
  for (const column of made) column.sort(bySize);
  for (let round = 0; round < 4; round += 1) {
    const order = round % 2 === 0 ? made : [...made].reverse();
    for (const column of order) {
      const heights = heightsOf(made);
      const wish = new Map(column.map((one) => [one.id, meanHeight(one, found, heights)]));
      column.sort((a, b) => wish.get(a.id) - wish.get(b.id));
    }
  }
}

function heightsOf(made) {
  const heights = new Map();
  for (const column of made) {
    column.forEach((one, place) => heights.set(one.id, place - (column.length - 1) / 2));
  }
  return heights;
}

function meanHeight(one, found, heights) {
  const near = [...one.needs, ...one.users].filter((id) => found.has(id));
  return near.reduce((sum, id) => sum + heights.get(id), 0) / Math.max(near.length, 1);
}

function drawNeighbourhood(drawing, centre, depths, all) {
  const users = reach(centre, "users", depths.users, all);
  const needs = reach(centre, "needs", depths.needs, all);
  const left = columnsOf(centre, users.found, "users");
  const right = columnsOf(centre, needs.found, "needs");
  untangle(left, users.found);
  untangle(right, needs.found);
  const shown = [...left.slice(1).reverse(), ...right];
  const places = placeNodes(shown, drawing);
  const lines = [...linesAmong(users.found, places), ...linesAmong(needs.found, places)];
  const nodes = [...places].map(([id, at]) => drawNode(packages[id], at, packages[id] === centre));
  drawing.replaceChildren(...lines.map(({ line }) => line), ...nodes);
  lightUp(drawing, lines);
  return { hidden: users.hidden + needs.hidden, at: places.get(centre.id) };
}

function placeNodes(shown, drawing) {
  const tallest = Math.max(...shown.map((column) => column.length));
  const height = tallest * NODE.down + 8;
  const width = (shown.length - 1) * NODE.across + NODE.width + 8;
  furnish(drawing, { width, height, viewBox: `0 0 ${width} ${height}` }, []);
  const places = new Map();
  shown.forEach((column, across) => {
    const top = (height - column.length * NODE.down) / 2 + (NODE.down - NODE.height) / 2;
    column.forEach((one, down) => {
      places.set(one.id, { x: 4 + across * NODE.across, y: top + down * NODE.down });
    });
  });
  return places;
}

function linesAmong(found, places) {
  const lines = [];
  for (const from of found) {
    for (const to of packages[from].needs.filter((id) => found.has(id))) {
      lines.push({ from, to, line: lineBetween(places.get(from), places.get(to)) });
    }
  }
  return lines;
}

function lineBetween(from, to) {
  const [x1, y1] = [from.x + NODE.width, from.y + NODE.height / 2];
  const [x2, y2] = [to.x, to.y + NODE.height / 2];
  const bend = Math.min((x2 - x1) / 2, 40);
  const d = `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  return svg("path", { class: "line", d });
}

function drawNode(one, { x, y }, isCentre) {
  const { width, height } = NODE;
  const title = svg("title", {}, describe(one));
  const body = svg("rect", { x, y, width, height, rx: 3 });
  const tab = svg("rect", { x, y, width: 5, height, class: "tab" });
  const name = cut(one.stem, width - 16, isCentre ? "bold 13px" : "13px");
  const text = svg("text", { x: x + 11, y: y + 16 }, name);
  const made = svg("a", {
    href: fragment({ package: one.name }),
    class: isCentre ? "node centre" : "node",
    "data-id": one.id,
    "aria-current": isCentre ? "true" : undefined,
  }, title, body, tab, text);
  return tinted(made, hueOf(one));
}

// Highlights the lines of the package under the pointer or with the focus.
function lightUp(drawing, lines) {
  const mark = (event) => {
    const id = Number(event.target.closest(".node")?.dataset.id ?? -1);
    for (const { from, to, line } of lines) line.classList.toggle("lit", from === id || to === id);
  };
  drawing.onpointerover = mark;
  for (const made of drawing.querySelectorAll(".node")) made.addEventListener("focus", mark);
}
