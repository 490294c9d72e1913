// Tables, and each chart's figures as one.

/** Return a table; `heads` are [title, isText], the first cell of each row is its heading. */
function tableOf(caption, heads, rows, className = "") {
  const head = h("tr", {}, ...heads.map(([title, isText]) => h("th", { scope: "col", className: isText ? "text" : "", textContent: title })));
  const cell = (content, i) => {
    const node = h(i ? "td" : "th", { className: heads[i][1] ? "text" : "" });
    if (!i) node.scope = "row";
    node.append(content);
    return node;
  };
  return h(
    "table", { className },
    caption === null ? null : h("caption", { textContent: caption }),
    h("thead", {}, head),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map(cell)))),
  );
}

/** Return a table that scrolls sideways where it is too wide; the keyboard can scroll it. */
const scrolling = (label, content) => h("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: label }, content);

/** Return a disclosure whose content is made when it is opened. */
function onDemand(title, label, make) {
  const details = h("details", {}, h("summary", { textContent: title }));
  details.addEventListener("toggle", () => details.append(scrolling(label, make())), { once: true });
  return details;
}

/** Return a chart with its title, and its figures as a table below. */
function figure(title, about, element, make, note = "", level = "h4") {
  return h(
    "figure", {},
    h(level, { textContent: title }),
    element,
    note ? h("figcaption", { className: "note", textContent: note }) : null,
    h("div", { className: "below" }, onDemand("As a table", `${about} as a table`, make), saving(element, about)),
  );
}

/**
 * Return a table whose heads are buttons that sort it.
 *
 * A cell is its content, or [content, what it is sorted by]; cells without a value come last.
 */
function sortableTable(label, heads, rows, start = null, className = "wide") {
  const content = (cell) => (Array.isArray(cell) ? cell[0] : cell);
  const value = (cell) => (Array.isArray(cell) ? cell[1] : cell);
  const table = tableOf(null, heads, rows.map((row) => row.map(content)), `${className} sortable`);
  const body = table.querySelector("tbody");
  const lines = [...body.children].map((element, i) => ({ element, cells: rows[i].map(value) }));
  const order = { column: null, down: false };
  const compare = (a, b) => {
    const [x, y] = [a.cells[order.column] ?? null, b.cells[order.column] ?? null];
    if (x === null || y === null) return (x === null) - (y === null);
    const way = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y));
    return order.down ? -way : way;
  };
  const sort = (column, down) => {
    Object.assign(order, { column, down });
    body.append(...[...lines].sort(compare).map((line) => line.element));
    [...table.querySelectorAll("thead th")].forEach((head, i) => {
      if (i === column) head.ariaSort = down ? "descending" : "ascending";
      else head.removeAttribute("aria-sort");
    });
  };
  [...table.querySelectorAll("thead th")].forEach((head, i) => {
    const [title, isText] = heads[i];
    if (title) head.replaceChildren(h("button", { type: "button", textContent: title, onclick: () => sort(i, order.column === i ? !order.down : !isText) }));
  });
  if (start) sort(...start);
  return scrolling(label, table);
}
