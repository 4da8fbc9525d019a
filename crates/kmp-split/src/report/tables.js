// Makes tables that are sorted by a click on the head of a column.

// columns: { head, cell: row => text, element or list of both, value: row => what to sort by }
function table(columns, rows, markRow = () => ({})) {
  const heads = columns.map((one) => {
    return element("th", { class: one.number ? "number" : undefined }, one.head);
  });
  const body = element("tbody");
  for (const row of rows) body.append(element("tr", markRow(row), ...cells(columns, row)));
  const made = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body);
  sortable(made);
  return element("div", { class: "scroll" }, made);
}

function cells(columns, row) {
  return columns.map((one) => {
    const content = [one.cell(row)].flat();
    const attributes = { class: one.long ? "long" : undefined };
    if (one.value) attributes["data-value"] = one.value(row);
    return element("td", attributes, ...content);
  });
}

function sizeColumn(head, bytes) {
  return { head, number: true, cell: (row) => size(bytes(row)), value: bytes };
}

function countColumn(head, number) {
  return { head, number: true, cell: (row) => String(number(row)), value: number };
}

function sortable(made) {
  const heads = [...made.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = element("button", { type: "button" }, head.textContent);
    button.addEventListener("click", () => sortBy(made, heads, column));
    head.replaceChildren(button);
  });
}

function sortBy(made, heads, column) {
  const head = heads[column];
  const numeric = head.classList.contains("number");
  const before = head.getAttribute("aria-sort");
  const descending = before ? before === "ascending" : numeric;
  for (const other of heads) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const rows = [...made.tBodies[0].rows];
  rows.sort((a, b) => compareCells(a.cells[column], b.cells[column], numeric));
  if (descending) rows.reverse();
  made.tBodies[0].append(...rows);
}

function compareCells(a, b, numeric) {
  if (numeric) return Number(a.dataset.value) - Number(b.dataset.value);
  return a.textContent.localeCompare(b.textContent, "en");
}
