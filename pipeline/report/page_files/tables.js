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
    onDemand("As a table", `${about} as a table`, make),
  );
}
