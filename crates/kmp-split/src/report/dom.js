// Makes elements of the page. Text becomes text nodes, never markup.

const SVG = "http://www.w3.org/2000/svg";

function element(tag, attributes = {}, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return furnish(document.createElementNS(SVG, tag), attributes, children);
}

function furnish(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function tinted(made, hue) {
  made.style.setProperty("--hue", hue);
  return made;
}

// The fragment of an address that names a view: keys with values. The first key is the view.
function fragment(state) {
  const pairs = Object.entries(state).filter(([, value]) => value !== undefined);
  const text = pairs.map(([key, value]) => {
    const encoded = encodeURIComponent(value).replaceAll("%2F", "/");
    return encoded === "" ? key : `${key}=${encoded}`;
  });
  return `#${text.join("&")}`;
}

function link(text, state, attributes = {}) {
  return element("a", { href: fragment(state), ...attributes }, text);
}

function packageLink(one) {
  return tinted(link(one.stem, { package: one.name }, { class: "package" }), hueOf(one));
}

function packageLinks(some) {
  return element("div", { class: "chips" }, ...some.map(packageLink));
}

function moduleLink(one) {
  if (one.package === null) return element("span", {}, one.name);
  return link(one.name, { package: packages[one.package].name, module: one.path });
}

// Joins elements with commas.
function listed(things) {
  return things.flatMap((one, place) => (place === 0 ? [one] : [", ", one]));
}

function size(bytes) {
  const mib = 1024 * 1024;
  return bytes < mib ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / mib).toFixed(1)} MiB`;
}

function percent(part, whole) {
  return `${((100 * part) / Math.max(whole, 1)).toFixed(1)} %`;
}

function count(number, one, many = `${one}s`) {
  return `${number} ${number === 1 ? one : many}`;
}

function heading(text, ...beside) {
  return element("h2", {}, text, ...beside);
}

function note(...text) {
  return element("p", { class: "note" }, ...text);
}

const ruler = document.createElement("canvas").getContext("2d");

// Shortens a name so that it fits a width: to its last words, because there the names of neighbours
// differ, or else to the beginning of the last long word. A word is never cut at its head. If only a few
// letters would fit, there is no text.
function cut(text, width, font) {
  ruler.font = `${font} system-ui, sans-serif`;
  const fits = (shown) => ruler.measureText(shown).width <= width;
  if (fits(text)) return text;
  const few = 3;
  const starts = [...text.matchAll(/(?<=[-_/])[^-_/]/g)].map((found) => found.index);
  const ends = starts.map((start) => text.slice(start)).filter((end) => end.length >= few);
  const whole = ends.find((end) => fits(`…${end}`));
  if (whole !== undefined) return `…${whole}`;
  const last = ends.at(-1) ?? text;
  for (let length = last.length - 1; length >= few; length -= 1) {
    const shown = `${last.slice(0, length)}…`;
    if (fits(shown)) return shown;
  }
  return "";
}
