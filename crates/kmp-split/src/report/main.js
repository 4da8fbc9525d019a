// The fragment of the address in, one of the views out.

const VIEWS = [
  { key: "map", title: "Map", make: mapView },
  { key: "packages", title: "Packages" },
  { key: "package", make: packageView, of: "packages" },
  { key: "machines", title: "Machines", make: machinesView },
  { key: "machine", make: machinesView, of: "machines" },
  { key: "patterns", title: "Patterns", make: patternsView },
  { key: "pattern", make: patternsView, of: "patterns" },
  { key: "warnings", title: "Warnings", make: warningsView, number: warningCount },
  { key: "search", make: searchView },
];

// What an address of the form #module=… means.
function stateOfAddress() {
  const state = new URLSearchParams(location.hash.slice(1));
  const module = findModule(state.get("module"));
  if (module && !state.has("package") && module.package !== null) {
    return new URLSearchParams([["package", packages[module.package].name], ["module", module.path]]);
  }
  return state;
}

function viewOf(state) {
  const [key] = state.keys();
  return VIEWS.find((one) => one.key === key) ?? VIEWS[0];
}

function show() {
  const state = stateOfAddress();
  const view = viewOf(state);
  const place = document.getElementById("view");
  document.getElementById("packages").hidden = view.key !== "packages";
  place.hidden = !view.make;
  place.replaceChildren(...(view.make ? view.make(state) : []));
  place.querySelector("section tr.chosen")?.scrollIntoView({ block: "center" });
  markView(view);
  const about = state.get(view.key) || view.title || view.key;
  document.title = `${about}: kernel module packages of ${data.kernelrelease}`;
}

function showNext() {
  show();
  if (!document.querySelector("#view tr.chosen")) window.scrollTo(0, 0);
  document.getElementById("view").focus({ preventScroll: true });
}

function markView(view) {
  const current = view.of ?? view.key;
  for (const made of document.querySelectorAll("#views a")) {
    if (made.dataset.view === current) made.setAttribute("aria-current", "page");
    else made.removeAttribute("aria-current");
  }
}

function makeNavigation() {
  const place = document.getElementById("views");
  for (const view of VIEWS.filter((one) => one.title)) {
    const number = view.number?.();
    const text = number ? `${view.title} (${number})` : view.title;
    place.append(link(text, { [view.key]: "" }, { "data-view": view.key }), " ");
  }
  place.hidden = false;
}

function start() {
  makeNavigation();
  const search = document.getElementById("search");
  search.hidden = false;
  listenToSearch(search);
  sortable(document.querySelector("#packages table"));
  window.addEventListener("hashchange", showNext);
  show();
  search.value = stateOfAddress().get("search") ?? "";
  document.documentElement.dataset.ready = "true";
}

start();
