// What the answers depend on.

function whyCard(card) {
  const { importance, dependence = [], leaks = [], unhelpful } = card;
  return [panel(
    ...headed("Leak check", leaksOf(leaks)),
    ...(importance ? headed("Importance", ...importanceOf(importance)) : []),
    unhelpfulOf(unhelpful),
    ...(dependence.length ? headed("Dependence", para("The mean answer if all rows had this value of the column, with its 95 % interval.", "note"), grid(...dependence.map(dependenceOf))) : []),
  )];
}

function leaksOf(leaks) {
  if (!leaks.length) return para("No single column predicts nearly as well as the model.", "empty");
  return h("div", {}, ...leaks.map((leak) => para(leak.says, "reason")), scrolling("Suspicious columns", tableOf(null, [["column", true], ["measure", true], ["alone", false], ["model", false]], leaks.map((leak) => [leak.column, leak.measure, metricText(leak.alone), metricText(leak.model)]))));
}

const columnsOf = (one) => one.columns.join(" + ");

function importanceOf(importance) {
  const shown = importance.columns.slice(0, 20);
  const labels = distinct(shown.map(columnsOf));
  const splits = [...new Set(importance.columns.flatMap((one) => Object.keys(one.splits ?? {})))];
  const measuredOf = (one) => (Object.keys(one.splits ?? {}).length ? one.splits : { [importance.split]: one });
  const table = shown.flatMap((one, i) => Object.entries(measuredOf(one)).map(([split, it]) => ({ label: labels[i], split, drop: it.drop, low: it.low, high: it.high })));
  const apart = (one) => splits.some((a) => splits.some((b) => one.splits[a].low > one.splits[b].high));
  const cell = (it) => [it ? h("span", {}, metricText(it.drop), " ", h("span", { className: "interval", textContent: `${metricText(it.low)} to ${metricText(it.high)}` })) : NONE, it?.drop ?? null];
  const heads = [["column", true], ["features", true], ...(splits.length ? splits : [importance.split]).map((split) => [split, false]), ["differs between splits", true]];
  const rows = importance.columns.map((one) => [columnsOf(one), one.features.join(", "), ...(splits.length ? splits : [importance.split]).map((split) => cell(measuredOf(one)[split])), splits.length > 1 && Object.keys(one.splits).length > 1 && apart(one) ? "yes" : ""]);
  return [
    para(`How much worse ${importance.metric} becomes on ${plural(importance.rows, "row")} of ${importance.split} if the values of a column are shuffled, ${plural(importance.repeats, "time")}. Columns that feed features together are shuffled together.`, "note"),
    splits.length > 1 ? h("ul", { className: "legend" }, ...SPLITS.filter((split) => splits.includes(split)).map((split) => h("li", {}, h("span", { className: `swatch ${split}` }), split))) : null,
    picture("Importance", "drops", labels.length * (splits.length > 1 ? 24 : STEP + 3) + AXIS + 8, { table }, "Importance of the columns"),
    sortableTable("Importance", heads, rows),
  ];
}

function unhelpfulOf(unhelpful) {
  if (!unhelpful?.columns.length) return null;
  return para(`No help that exceeds chance comes from ${unhelpful.columns.map(columnsOf).join(", ")}; together, shuffling them costs ${metricText(unhelpful.together?.drop)}.`);
}

function dependenceOf(one) {
  const classes = Array.isArray(one.points[0]?.mean);
  const of = (value, k) => (Array.isArray(value) ? value[k] : value);
  const place = (value) => (one.type === "time" && typeof value === "string" ? Date.parse(value) : value);
  const known = one.points.filter((point) => point.value !== null);
  const missing = one.points.find((point) => point.value === null);
  const note = missing ? `Where it is missing: ${[missing.mean].flat().map(metricText).join(", ")}.` : "";
  const ids = classes ? one.points[0].mean.map((_, k) => k) : [0];
  if (one.type === "category") {
    const labels = distinct(one.points.map((point) => (point.value === null ? "(missing)" : valueText(String(point.value)))));
    const table = one.points.flatMap((point, i) => ids.slice(0, 1).map((k) => ({ label: labels[i], value: of(point.mean, k), low: of(point.low, k), high: of(point.high, k), tone: "" })));
    return picture(one.column, "forest", labels.length * STEP + AXIS, { table, overall: [] }, `Mean answer by ${one.column}`);
  }
  const names = content.cards.find((card) => card.id === "metrics").classes ?? [];
  const table = ids.flatMap((k) => known.map((point) => ({ class: classes ? names[k] ?? String(k) : "answer", value: place(point.value), mean: of(point.mean, k), low: of(point.low, k), high: of(point.high, k) })));
  return picture(one.column, one.type === "time" ? "dependence_time" : "dependence_number", 190, { table }, `Mean answer by ${one.column}`, note);
}
