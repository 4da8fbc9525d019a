// Shows the view that the fragment of the address names.

const VIEWS = [
  { key: "map", title: "Map", make: mapView },
  { key: "packages", title: "Packages" },
  { key: "package", make: packageView, of: "packages" },
  { key: "machines", title: "Machines", make: machinesView },
  { key: "machine", make: machinesView, of: "machines" },
  { key: "patterns", title: "Patterns", make: patternsView },
  { key: "pattern", make: patternsView, of: "patterns" },
  { key: "warnings", title: "Warnings", make: warningsView, number: warningCount },
  { key: "policy", make: policyView, of: "warnings" },
  { key: "search", make: searchView },
];

// The view for a fragment. #module=… shows the package of the module at this path. If there is none,
// it searches for the path.
function stateOfAddress() {
  const state = new URLSearchParams(location.hash.slice(1));
  if (!state.has("module") || state.has("package")) return state;
  const path = state.get("module");
  const module = findModule(path);
  if (!module || module.package === null) return new URLSearchParams([["search", path]]);
  return new URLSearchParams([["package", packages[module.package].name], ["module", path]]);
}

function viewOf(state) {
  const [key] = state.keys();
  return VIEWS.find((one) => one.key === key) ?? VIEWS[0];
}

function show() {
  const state = stateOfAddress();
  const view = viewOf(state);
  const place = document.getElementById("view");
  document.getElementById("all-packages").hidden = view.key !== "packages";
  place.hidden = !view.make;
  place.replaceChildren(...(view.make ? view.make(state) : []));
  place.querySelector("section tr.chosen")?.scrollIntoView({ block: "center" });
  markView(view);
  const about = state.get(view.key) || view.title || view.key;
  document.title = `${about}: kernel module packages of ${data.kernelrelease}`;
}

function showNext() {
  show();
  showQuery();
  if (!document.querySelector("#view tr.chosen")) window.scrollTo(0, 0);
  document.getElementById("view").focus({ preventScroll: true });
}

function showQuery() {
  document.getElementById("query").value = stateOfAddress().get("search") ?? "";
}

function markView(view) {
  const current = view.of ?? view.key;
  for (const made of document.querySelectorAll("#navigation a")) {
    if (made.dataset.view === current) made.setAttribute("aria-current", "page");
    else made.removeAttribute("aria-current");
  }
}

function makeNavigation() {
  const place = document.getElementById("navigation");
  for (const view of VIEWS.filter((one) => one.title)) {
    const number = view.number?.();
    const text = number ? `${view.title} (${number})` : view.title;
    place.append(link(text, { [view.key]: "" }, { "data-view": view.key }), " ");
  }
  place.hidden = false;
}

function start() {
  makeNavigation();
  const search = document.getElementById("query");
  search.hidden = false;
  listenToSearch(search);
  sortable(document.querySelector("#all-packages table"));
  window.addEventListener("hashchange", showNext);
  show();
  showQuery();
  document.documentElement.dataset.ready = "true";
}

start();
