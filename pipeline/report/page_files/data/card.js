// The card of a column: its head at once, its charts when it comes near the window.


const splitNames = (column) => SPLITS.filter((split) => split in column.splits);
const formatOf = (column) => (column.kind === "time" ? timeText : numberText);

/** The largest share of rows without a value. */
const missingOf = (column) => Math.max(0, ...Object.values(column.splits).map((split) => split.missing ?? 0));
const driftOf = (column) => Math.max(0, ...column.drift.map((drift) => drift.value));
const strengthOf = (column) => column.relation?.strength ?? 0;
const hasError = (column) => column.findings.some((finding) => finding.severity === "error");

function finding(one) {
  const text = `${one.where}: ${one.what}. Expected ${one.expected}; seen: ${one.seen}.`;
  return h(
    "li", { className: one.severity },
    h("strong", { textContent: `${one.severity === "error" ? "Error" : "Warning"} in ` }), text, " ",
    h("span", { className: "note", textContent: one.fix }),
  );
}

/** Return the card without its body. */
function cardOf(column, i) {
  const id = `column-${i}`;
  const facts = [`${shareText(missingOf(column))} missing`];
  const counted = column.figures.train?.distinct;
  const sampled = column.relation?.distinct ?? null;
  if (counted !== undefined) facts.push(plural(counted, "distinct value"));
  else if (sampled !== null) facts.push(`${plural(sampled, "distinct value")} in ${plural(content.outcome.sample, "row")}`);
  if (column.relation) facts.push(`explains ${shareText(column.relation.strength)} of ${content.outcome.name}`);
  const tags = [column.list ? `list of ${column.type}` : column.type];
  if (!column.serving) tags.push("not in requests");
  return h(
    "article", { className: "card", "aria-labelledby": id },
    h(
      "div", { className: "head" },
      h("h3", { id, textContent: column.name }),
      ...tags.map((text) => h("span", { className: "tag", textContent: text })),
      column.findings.length
        ? h("span", { className: `tag ${hasError(column) ? "error" : "warning"}`, textContent: plural(column.findings.length, "anomaly", "anomalies") })
        : null,
      h("p", { className: "facts" }, ...facts.map((text) => h("span", { textContent: text }))),
    ),
    column.findings.length ? h("ul", { className: "findings" }, ...column.findings.map(finding)) : null,
  );
}

/** Fill a card; return the elements of its charts, which are still to be drawn. */
function fillCard(card, column) {
  const body = h("div", { className: "body" }, distribution(column), relation(column), figures(column));
  card.append(body);
  card.classList.add("filled");
  return [...body.querySelectorAll(".chart")];
}

const nothing = (title, text) => h("figure", {}, h("h4", { textContent: title }), h("p", { className: "empty", textContent: text }));

function distribution(column) {
  const title = column.list ? "Values of the lists" : "Distribution";
  if (column.histogram) return histogramOf(column, title);
  if (column.top?.length) return valuesOf(column, title);
  return nothing(title, "No values.");
}

function histogramOf(column, title) {
  const { edges, shares, below, above } = column.histogram;
  const text = (edge) => formatOf(column)(edge, edges[1] - edges[0]);
  const splits = SPLITS.filter((split) => split in shares);
  const rows = splits.flatMap((split) =>
    edges.map((x, i) => ({ split, x, share: shares[split][Math.min(i, edges.length - 2)] })),
  );
  const first = edges[0], last = edges.at(-1);
  const outside = [below ? `The first bin includes what is below ${text(first)}.` : "", above ? `The last bin includes what is above ${text(last)}.` : ""];
  const make = () => tableOf(
    null, [["from", false], ["to", false], ...splits.map((split) => [split, false])],
    edges.slice(1).map((edge, i) => [text(edges[i]), text(edge), ...splits.map((split) => shareText(shares[split][i]))]),
  );
  const label = `Histogram of ${column.name}, share of rows by split, from ${text(first)} to ${text(last)}`;
  const note = outside.filter(Boolean).join(" ");
  return figure(title, `Histogram of ${column.name}`, chart(column.kind, label, 190, { table: rows }), make, note);
}

function valuesOf(column, title) {
  const splits = splitNames(column);
  const labels = distinct(column.top.map((each) => valueText(each.value)));
  const rows = column.top.flatMap((each, i) =>
    splits.filter((split) => each.shares[split] !== null).map((split) => ({ label: labels[i], split, share: each.shares[split] })),
  );
  const make = () => tableOf(
    null, [["value", true], ...splits.map((split) => [split, false])],
    column.top.map((each) => [valueText(each.value), ...splits.map((split) => shareText(each.shares[split]))]),
  );
  const label = `The ${column.top.length} most frequent values of ${column.name}, share by split; the first is ${valueText(column.top[0].value)}`;
  const element = chart("category", label, labels.length * STEP + AXIS, { table: rows });
  return figure(title, `Frequent values of ${column.name}`, element, make);
}

function binText(bin, column) {
  const text = formatOf(column);
  const scale = column.kind === "time" ? 1e-3 : 1; // microseconds
  if (bin.kind === "missing") return "(missing)";
  if (bin.kind === "rest") return "(all others)";
  if (bin.kind === "value") return valueText(bin.value);
  if (bin.low === bin.high) return text(bin.low * scale);
  const step = bin.high - bin.low;
  return `${text(bin.low * scale, step)} to ${text(bin.high * scale, step)}`;
}

/** Return the outcome's values as text, and the titles of what is estimated. */
function outcomeText() {
  const { name, classes } = content.outcome;
  if (!classes.length) return { format: numberText, titles: [`mean ${name}`] };
  return { format: shareText, titles: classes.map((each) => (classes.length === 1 ? `share of ${name} = ${each}` : each)) };
}

function relation(column) {
  if (!column.relation) return nothing("Relation to the label", content.outcome ? "Not measured for this column." : "Not measured in this run.");
  const { bins } = column.relation;
  const { format, titles } = outcomeText();
  const labels = distinct(bins.map((bin) => binText(bin, column)));
  const rows = bins.flatMap((bin, i) =>
    bin.estimates.map(([value, low, high], k) => ({ label: labels[i], class: titles[k], value, low, high })),
  ).filter((row) => row.value !== null);
  const several = titles.length > 1;
  const title = several ? `Share of each ${content.outcome.name}` : `${titles[0][0].toUpperCase()}${titles[0].slice(1)}, 95 % interval`;
  const interval = ([value, low, high]) => (low === null ? format(value) : `${format(value)} (${format(low)} to ${format(high)})`);
  const make = () => tableOf(
    null, [["rows with", true], ["rows", false], ...titles.map((each) => [each, false])],
    bins.map((bin) => [binText(bin, column), countText(bin.rows), ...bin.estimates.map(interval)]),
  );
  const overall = content.splits.find((split) => split.name === "train")?.estimates.map(([value]) => ({ value })) ?? [];
  const kind = several ? "classes" : content.outcome.classes.length ? "share" : "mean";
  const label = `${title}, by ${column.name}, in training rows`;
  const height = labels.length * STEP + (several ? 80 : AXIS);
  const element = chart(kind, label, height, several ? { table: rows } : { table: rows, overall });
  return figure(title, `Relation of ${column.name} to the label`, element, make);
}

function figures(column) {
  const splits = splitNames(column);
  const text = formatOf(column);
  const of = (title, read, format) => {
    const cells = splits.map((split) => read({ ...column.splits[split], ...column.figures[split] }));
    return cells.some((cell) => cell !== undefined && cell !== null) ? [[title, ...cells.map((cell) => format(cell ?? null))]] : [];
  };
  const quantile = (title, i) => of(title, (each) => each.quantiles?.[i], text);
  const rows = [
    ...of("missing", (each) => each.missing, shareText),
    ...of("values a row, mean", (each) => each.average, numberText),
    ...of("values a row, most", (each) => each.most, numberText),
    ...of("distinct", (each) => each.distinct, numberText),
    ...of("length, mean", (each) => each.length, numberText),
    ...of("mean", (each) => each.mean, text),
    ...of("deviation", (each) => each.deviation, numberText),
    ...of("minimum", (each) => each.minimum, text),
    ...quantile("5 %", 0), ...quantile("25 %", 1), ...quantile("median", 2), ...quantile("75 %", 3), ...quantile("95 %", 4),
    ...of("maximum", (each) => each.maximum, text),
    ...of("zeros", (each) => each.zeros, shareText),
  ];
  const label = `Figures of ${column.name}`;
  const heads = [["", true], ...splits.map((split) => [split, false])];
  return h("div", {}, h("h4", { textContent: "Figures" }), scrolling(label, tableOf(null, heads, rows, "wide")), drifts(column));
}

function drifts(column) {
  if (!column.drift.length) return null;
  const items = column.drift.map((drift) => {
    const chance = drift.chance ? `, by chance up to ${numberText(drift.chance)}` : "";
    return h("li", { textContent: `${drift.split}: ${MEASURES[drift.measure] ?? drift.measure} ${numberText(drift.value)}, threshold ${numberText(drift.threshold)}${chance}` });
  });
  return h("div", {}, h("h4", { textContent: "Drift from train" }), h("ul", { className: "note" }, ...items));
}
