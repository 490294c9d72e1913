// Puts the page together.

const ORDERS = {
  anomalies: ["Anomalies, then relation", (a, b) => rank(b) - rank(a) || strengthOf(b) - strengthOf(a)],
  relation: ["Relation to the label", (a, b) => strengthOf(b) - strengthOf(a)],
  missing: ["Missing values", (a, b) => missingOf(b) - missingOf(a)],
  drift: ["Drift", (a, b) => driftOf(b) - driftOf(a)],
  name: ["Name", (a, b) => a.name.localeCompare(b.name)],
  schema: ["Order in schema.pbtxt", () => 0],
};
const rank = (column) => (hasError(column) ? 2 : column.findings.length ? 1 : 0);

const cards = content.columns.map((column, i) => ({ column, element: cardOf(column, i), filled: false }));
const byElement = new Map(cards.map((card) => [card.element, card]));
const near = new IntersectionObserver(
  (entries) => fill(entries.filter((entry) => entry.isIntersecting).map((entry) => byElement.get(entry.target))),
  { rootMargin: "700px" },
);

/** Fill cards that are shown, those that are not filled yet. */
function fill(some) {
  const empty = some.filter((card) => !card.filled && card.element.isConnected);
  draw(empty.flatMap((card) => {
    card.filled = true;
    near.unobserve(card.element);
    return fillCard(card.element, card.column);
  }));
}

/** Show the cards that fit the tools, in the order chosen. */
function arrange() {
  const wanted = byId("search").value.trim().toLowerCase();
  const type = byId("type").value;
  const only = byId("only").checked;
  const compare = ORDERS[byId("sort").value][1];
  const shown = cards
    .filter(({ column }) => column.name.toLowerCase().includes(wanted) && (!type || column.type === type) && (!only || column.findings.length))
    .sort((a, b) => compare(a.column, b.column));
  byId("cards").replaceChildren(...shown.map((card) => card.element));
  byId("count").textContent = shown.length === cards.length ? plural(cards.length, "column") : `${countText(shown.length)} of ${plural(cards.length, "column")}`;
}

function tools() {
  byId("sort").append(...Object.entries(ORDERS).map(([value, [title]]) => h("option", { value, textContent: title })));
  const types = [...new Set(content.columns.map((column) => column.type))].sort();
  byId("type").append(h("option", { value: "", textContent: "All types" }), ...types.map((type) => h("option", { value: type, textContent: type })));
  byId("search").addEventListener("input", afterCalm(60, arrange));
  for (const id of ["sort", "type", "only"]) byId(id).addEventListener("change", arrange);
  byId("tools").addEventListener("submit", (event) => event.preventDefault());
  byId("legend").append(...SPLITS.map((split) => h("li", {}, h("span", { className: `swatch ${split}` }), split)));
}

/** The splits: rows, the outcome, the times. */
function rows() {
  const { counts, splits, outcome } = content;
  const { format, titles } = outcome ? outcomeText() : { format: numberText, titles: [] };
  const total = splits.reduce((sum, split) => sum + split.rows, 0);
  const times = splits.find((split) => split.times.length)?.times.map((time) => time.column) ?? [];
  const moment = (time) => (typeof time === "string" ? time : timeText(time)); // a split's own are text
  const range = (split, name) => {
    const time = split.times.find((each) => each.column === name);
    return time ? `${moment(time.first)} to ${moment(time.last)}` : NONE;
  };
  const heads = [["split", true], ["rows", false], ["share", false], ...titles.map((title) => [title, false]), ...times.map((name) => [name, false])];
  const body = splits.map((split) => [
    split.name, countText(split.rows), shareText(total ? split.rows / total : null),
    ...titles.map((_, k) => format(split.estimates[k]?.[0])),
    ...times.map((name) => range(split, name)),
  ]);
  const read = counts === null ? "" : `${plural(counts.records_read, "row")} read: ${countText(total)} in the splits, ${countText(counts.records_rejected)} rejected, ${countText(counts.records_dropped)} dropped${counts.repeated ? `, ${countText(counts.repeated)} repeated` : ""}.`;
  byId("rows").append(h("div", { className: "panel" }, read ? h("p", { textContent: read }) : null, scrolling("Splits", tableOf(null, heads, body)),
    outcome?.weight ? h("p", { className: "note", textContent: `The label's figures count each row by ${outcome.weight}.` }) : null));
}

function anomalies() {
  const heads = [["column", true], ["severity", true], ["where", true], ["what", true], ["expected", true], ["seen", true]];
  const body = content.findings.map((one) => [one.column || "(all)", h("span", { className: `tag ${one.severity}`, textContent: one.severity }), one.where, one.what, one.expected, one.seen]);
  byId("anomalies").append(h("div", { className: "panel" }, body.length
    ? scrolling("Anomalies", tableOf(null, heads, body, "wide"))
    : h("p", { className: "empty", textContent: "None: the data are as the schema says." })));
}

function correlated() {
  const { columns, matrix } = content.correlations ?? { columns: [], matrix: [] };
  if (columns.length < 2) return;
  byId("correlations").hidden = false;
  const data = columns.flatMap((row, i) => columns.map((column, j) => ({ row, column, value: matrix[i][j] }))).filter((cell) => cell.value !== null);
  const panel = h("div", { className: "panel" });
  byId("correlations").append(panel);
  const roomy = panel.clientWidth > 200 + columns.length * 34;
  const element = chart(roomy ? "correlations" : "small_correlations", `Correlations of ${columns.length} columns`, columns.length * 26 + 110, { table: data });
  const make = () => tableOf(null, [["", true], ...columns.map((name) => [name, false])], columns.map((name, i) => [name, ...matrix[i].map((value) => (value === null ? NONE : value.toFixed(2)))]));
  panel.append(figure("Rank correlation of the columns of numbers that relate most to the label", "Correlations", element, make,
    `Of ${plural(content.outcome.sample, "training row")}; ranks are counted in tenths, and two columns are compared where both have a value.`, "h3"));
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    draw([element]);
  }, { rootMargin: "700px" }).observe(element);
}

function rejected() {
  const panel = h("div", { className: "panel reasons" });
  byId("rejected").append(panel);
  const dropped = Object.entries(content.counts?.dropped_by_rule ?? {});
  if (dropped.length) panel.append(scrolling("Dropped rows", tableOf(null, [["dropped by", true], ["rows", false]], dropped.map(([rule, count]) => [rule, countText(count)]))));
  for (const one of content.rejects) {
    const title = `${plural(one.rows, "row")} rejected: ${one.reason}${one.column ? ` in ${one.column}` : ""}`;
    const body = one.samples.map((each) => [`${each.source}:${each.line}`, each.value ?? NONE, h("span", { className: "code", textContent: each.record })]);
    panel.append(h("div", {}, h("h3", { textContent: title }), scrolling(title, tableOf(null, [["line", true], ["value", true], ["record", true]], body, "wide"))));
  }
  if (!panel.children.length) panel.append(h("p", { className: "empty", textContent: "None." }));
}

function head() {
  byId("title").textContent = `${content.pipeline}: the data`;
  byId("subtitle").textContent = `Run ${content.run}`;
  const sections = [...document.querySelectorAll("main > section:not([hidden])")];
  byId("sections").append(...sections.map((section) => h("li", {}, h("a", { href: `#${section.id}`, textContent: section.querySelector("h2").textContent }))));
}

tools();
rows();
anomalies();
arrange();
correlated();
rejected();
head();
cards.forEach((card) => near.observe(card.element));
addEventListener("beforeprint", () => fill(cards));
