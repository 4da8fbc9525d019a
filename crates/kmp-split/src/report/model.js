// Turns the indexes in the page's data into packages and modules that refer to each other.

const data = JSON.parse(document.getElementById("data").textContent);
const { packages, modules, patterns, machines } = data;

// Every machine installs the image package.
function connectPackages() {
  packages.forEach((one, id) => {
    Object.assign(one, { id, users: [], patterns: [], machines: one.image ? [...machines] : [] });
  });
  for (const one of packages) {
    for (const needed of one.needs) packages[needed].users.push(one.id);
  }
  for (const pattern of patterns) {
    for (const id of pattern.packages) packages[id].patterns.push(pattern);
  }
  for (const machine of machines) {
    for (const { package: id } of machine.packages) packages[id].machines.push(machine);
  }
}

function connectModules() {
  modules.forEach((one, id) => Object.assign(one, { id, users: [] }));
  for (const one of modules) one.aliases = wholeAliases(one.aliases);
  for (const one of modules) {
    for (const needed of one.needs) modules[needed].users.push(one.id);
  }
}

// The parts of the kernel with their packages, the largest first. Each part has a hue. The golden
// angle makes the hues of large parts differ.
function partsOfKernel() {
  const parts = new Map();
  for (const one of packages) {
    if (!parts.has(one.part)) parts.set(one.part, { name: one.part, packages: [] });
    parts.get(one.part).packages.push(one);
  }
  const sorted = [...parts.values()];
  for (const part of sorted) {
    part.bytes = sumOfBytes(part.packages);
    part.packages.sort(bySize);
  }
  sorted.sort(bySize);
  sorted.forEach((part, place) => {
    part.hue = Math.round((250 + place * 137.508) % 360);
  });
  return new Map(sorted.map((part) => [part.name, part]));
}

function bySize(a, b) {
  return b.bytes - a.bytes || (titleOf(a) < titleOf(b) ? -1 : 1);
}

function titleOf(thing) {
  return thing.stem ?? thing.name;
}

function sumOfBytes(things) {
  return things.reduce((sum, one) => sum + one.bytes, 0);
}

function hueOf(one) {
  return parts.get(one.part).hue;
}

// Packages, and all packages that they need.
function withNeeds(ids) {
  const found = new Set(ids);
  for (const id of found) {
    for (const needed of packages[id].needs) found.add(needed);
  }
  return [...found].map((id) => packages[id]);
}

function findPackage(name) {
  return packages.find((one) => one.name === name) ?? packages.find((one) => one.stem === name);
}

function findModule(path) {
  return modules.find((one) => one.path === path);
}

function excludedModules() {
  return modules.filter((one) => one.package === null);
}

connectPackages();
connectModules();
const parts = partsOfKernel();
const allBytes = sumOfBytes(modules);

// Aliases are written as the number of letters they share with the one before, and the rest.
function wholeAliases(written) {
  let before = "";
  return written.map((text) => {
    const blank = text.indexOf(" ");
    before = before.slice(0, Number(text.slice(0, blank))) + text.slice(blank + 1);
    return before;
  });
}
