// Each column before and after the transform stage.

function columnsCard(card) {
  const label = new Set(card.label);
  const unused = card.columns.filter((column) => !column.features.length && !label.has(column.name) && !(column.name in card.dropped));
  const heads = [["column", true], ["type", true], ["missing", false], ["distinct", false], ["features", true], ["out of vocabulary", false], ["ids used", false]];
  const table = tall(sortableTable("Columns", heads, card.columns.map((column) => {
    const ids = column.features.filter((feature) => feature.unknown !== undefined && feature.unknown !== null);
    const unknown = ids.length ? Math.max(...ids.map((feature) => feature.unknown)) : null;
    const spread = column.features.filter((feature) => feature.seen !== undefined).map((feature) => feature.seen / feature.size);
    const covered = spread.length ? Math.min(...spread) : null;
    return [
      column.name, column.list ? `list of ${column.type}` : column.type, [shareText(column.missing), column.missing],
      column.distinct === null || column.distinct === undefined ? [NONE, null] : [countText(column.distinct), column.distinct],
      column.name in card.dropped ? `dropped: ${card.dropped[column.name]}` : [...new Set(column.features.map((feature) => feature.treatment))].join(", ") || (label.has(column.name) ? "label" : NONE),
      [shareText(unknown), unknown], [shareText(covered), covered],
    ];
  })));
  const bodies = h("div", { className: "columns" });
  const shown = card.columns.filter((column) => column.features.length);
  const details = h("details", {}, h("summary", { textContent: `Before and after, ${plural(shown.length, "column")}` }), bodies);
  const fill = () => bodies.childElementCount || bodies.append(...shown.map((column) => columnOf(column, card)));
  details.addEventListener("toggle", fill);
  addEventListener("beforeprint", () => details.open && fill());
  if (shown.length <= 12) {
    details.open = true;
    fill();
  }
  const rows = card.measured ? ` Features are measured on ${plural(card.measured, "training row")}.` : "";
  return [panel(
    para(`${plural(card.columns.length, "column")} in the table${unused.length ? `, ${unused.length} of them unused` : ""}.${rows}`),
    table,
    card.left_out ? para(`${plural(card.left_out, "further column")} left out.`, "note") : null,
    details,
  )];
}

function columnOf(column, card) {
  const scale = column.kind === "time" ? 1e-3 : 1; // microseconds
  const about = `${column.name}, in the table`;
  const facts = `${column.list ? "list of " : ""}${column.type}, ${shareText(column.missing)} missing`;
  const raw = column.edges ? binsOf("In the table", about, column.edges.map((edge) => edge * scale), column.shares, column.kind === "time" ? "small_time" : "small", facts)
    : column.top.length ? valuesOf("In the table", about, column.top, facts) : h("figure", {}, h("p", { textContent: "In the table" }), para("No values.", "empty"));
  return h(
    "div", { className: "column" },
    h("div", { className: "head" }, h("h3", { textContent: column.name }), ...(card.label.includes(column.name) ? [tag("label")] : [])),
    grid(raw, ...column.features.map((feature) => featureOf(feature, column))),
  );
}

function binsOf(title, about, edges, shares, kind, note) {
  const table = shares.map((share, i) => ({ start: edges[i], end: edges[i + 1], share }));
  return picture(title, kind, 92, { table }, about, note);
}

function valuesOf(title, about, top, note) {
  const labels = distinct(top.map(([value]) => valueText(String(value))));
  return picture(title, "few", labels.length * STEP + AXIS, { table: top.map(([, share], i) => ({ label: labels[i], share })) }, about, note);
}

function featureOf(feature, column) {
  const with_ = feature.columns.filter((name) => name !== column.name);
  const title = `${feature.name}: ${feature.treatment}${with_.length ? ` with ${with_.join(", ")}` : ""}`;
  const about = `${column.name} as ${title}`;
  const mean = Math.abs(feature.mean) < 1e-6 * feature.deviation ? 0 : feature.mean; // the rounding of float32
  if (feature.edges) {
    return binsOf(title, about, feature.edges, feature.shares, "small", `mean ${numberText(mean)}, deviation ${numberText(feature.deviation)}, ${numberText(feature.least)} to ${numberText(feature.greatest)}`);
  }
  if (feature.top?.length) {
    const notes = [`${countText(feature.seen)} of ${plural(feature.size, "id")} seen`, `${shareText(feature.missing)} missing`];
    if (feature.unknown !== null && feature.unknown !== undefined) notes.push(`${shareText(feature.unknown)} out of vocabulary`);
    return valuesOf(title, about, feature.top, notes.join(", "));
  }
  return h("figure", {}, h("p", { textContent: title }), para("Not measured in this run.", "empty"));
}
