// Finds the packages, modules and patterns that contain all words of a search.

const SHOWN = 60;

// In names of modules - and _ are the same.
function spelled(text) {
  return text.toLowerCase().replaceAll("-", "_");
}

function wordsOf(query) {
  return spelled(query).split(/\s+/).filter((word) => word !== "");
}

// How well a result fits: the lower, the better. It is undefined if a word is missing. The name
// counts more than the other texts.
function fit(words, name, others) {
  const said = spelled(name);
  const whole = `${said} ${others.map((one) => spelled(one ?? "")).join(" ")}`;
  if (!words.every((word) => whole.includes(word))) return undefined;
  const word = words[0];
  if (said === word) return 0;
  if (said.startsWith(word)) return 1;
  return said.includes(word) ? 2 : 3;
}

// A module that only an alias leads to comes behind the others.
const BY_ALIAS = 4;
const PATTERNS = new Map();

// Whether a query is an alias, a part of one, or the modalias of a device that the alias matches.
function meets(alias, query) {
  if (query.length < 3) return false;
  if (alias.includes(query)) return true;
  const colon = query.indexOf(":");
  if (colon < 0 || /\s/.test(query) || !alias.startsWith(query.slice(0, colon + 1))) return false;
  if (!PATTERNS.has(alias)) PATTERNS.set(alias, patternOf(alias));
  return PATTERNS.get(alias).test(query);
}

// The pattern of an alias, fnmatch(3), as a regular expression.
function patternOf(alias) {
  const parts = alias.match(/\\.|\[[!^]?\]?[^\]]*\]|[^]/g) ?? [];
  const made = parts.map((part) => {
    if (part === "*") return "[^]*";
    if (part === "?") return "[^]";
    if (part.startsWith("[") && part.length > 1) {
      const negated = /^\[[!^]/.test(part);
      const inside = part.slice(negated ? 2 : 1, -1).replaceAll(/[\\\]^[]/g, "\\$&");
      return `[${negated ? "^" : ""}${inside}]`;
    }
    const letter = part.startsWith("\\") ? part.slice(1) : part;
    return letter.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  });
  return new RegExp(`^${made.join("")}$`);
}

function searchAmong(things, score) {
  const fitting = things.map((thing) => ({ thing, score: score(thing) }));
  const kept = fitting.filter((one) => one.score !== undefined);
  kept.sort((a, b) => a.score - b.score);
  return kept.map((one) => one.thing);
}

function searchView(state) {
  const words = wordsOf(state.get("search"));
  if (words.length === 0) return [heading("Search"), note("Type a part of a name or a path.")];
  const inPackage = (one) => fit(words, one.stem, [one.name, one.summary]);
  const query = state.get("search").trim();
  const inModule = (one) => {
    const byText = fit(words, one.name, [one.path, one.description]);
    return byText ?? (one.aliases.some((alias) => meets(alias, query)) ? BY_ALIAS : undefined);
  };
  const inPattern = (one) => fit(words, one.name, [one.summary]);
  const results = [
    hits("Packages", searchAmong(packages, inPackage), packageHit),
    hits("Modules", searchAmong(modules, inModule), moduleHit),
    hits("Patterns", searchAmong(patterns, inPattern), patternHit),
  ];
  const some = results.filter((one) => one !== null);
  if (some.length === 0) some.push(note("Nothing has all of these words."));
  return [heading(`Search: ${state.get("search")}`), ...some];
}

function hits(title, things, show) {
  if (things.length === 0) return null;
  const items = things.slice(0, SHOWN).map((one) => element("li", {}, ...show(one)));
  const more = things.length - SHOWN;
  return element("section", {},
    element("h3", {}, title, element("small", {}, String(things.length))),
    element("ul", { class: "hits" }, ...items),
    more > 0 ? note(`and ${more} more`) : null);
}

function packageHit(one) {
  const facts = `${one.part}, ${size(one.bytes)}, ${count(one.modules.length, "module")}`;
  return [packageLink(one), element("span", {}, one.summary ?? facts)];
}

function moduleHit(one) {
  const place = one.package === null
    ? element("span", {}, "excluded")
    : element("span", {}, "in ", packages[one.package].name);
  const description = element("span", {}, one.description ?? "");
  return [moduleLink(one), place, description, element("code", {}, one.path)];
}

function patternHit(one) {
  return [link(one.name, { pattern: one.name }), element("span", {}, one.summary)];
}

// Connects the input with the address. Typing shows the results. An empty input shows the view from
// before.
function listenToSearch(input) {
  let before = "";
  input.addEventListener("input", () => {
    if (!location.hash.startsWith("#search=")) before = location.hash;
    const query = input.value.trim();
    const next = query ? fragment({ search: query }) : before || fragment({ map: "" });
    history.replaceState(null, "", next);
    show();
  });
  input.addEventListener("keydown", (event) => {
    const first = document.querySelector("#view .hits a");
    if (!first || !["Enter", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    if (event.key === "Enter") first.click();
    else first.focus();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, select, textarea");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
}
