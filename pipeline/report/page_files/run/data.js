// The rows that were read, and what became of them.

function dataCard(card) {
  const { counts } = card;
  const dropped = counts.records_dropped ?? 0;
  const total = Object.values(counts.examples).reduce((sum, rows) => sum + rows, 0);
  const share = counts.records_read ? counts.records_rejected / counts.records_read : 0;
  const budget = typeof card.budget === "number" ? `, of ${shareText(card.budget)} allowed` : "";
  const link = card.page ? h("p", {}, h("a", { href: card.page, textContent: "The data page" }), " shows the distributions of all columns and their relation to the label.") : null;
  return [panel(
    tiles([["rows read", countText(counts.records_read)], ["in the splits", countText(total)], [`rejected (${shareText(share)}${budget})`, countText(counts.records_rejected)], ["dropped by rules", countText(dropped)]]),
    ...headed("Splits", splitsOf(card, total)),
    ...reasonsOf(counts),
    ...headed("Anomalies", anomaliesOf(card.findings)),
    ...rulesOf(card.rules),
    ...driftTable(card.drift),
    link,
  )];
}

function splitsOf(card, total) {
  const label = card.label ?? "label";
  const first = card.splits.find((split) => Object.keys(split.label ?? {}).length)?.label ?? {};
  const classes = Object.keys(first.classes ?? {}).slice(0, 12);
  const timed = card.splits.some((split) => split.time);
  const heads = [["split", true], ["rows", false], ["share", false], ...classes.map((name) => [`${label} = ${valueText(name)}`, false]), ...("positive" in first ? [[`${label} = 1`, false]] : []), ...("mean" in first ? [[`mean ${label}`, false]] : []), ...(timed ? [["from", false], ["to", false]] : [])];
  const rows = card.splits.map((split) => [
    split.name, countText(split.rows), shareText(total ? split.rows / total : null),
    ...classes.map((name) => shareText(split.label?.classes?.[name] ?? 0)),
    ...("positive" in first ? [shareText(split.label?.positive)] : []),
    ...("mean" in first ? [numberText(split.label?.mean)] : []),
    ...(timed ? (split.time ?? [NONE, NONE]).map(String) : []),
  ]);
  return scrolling("Splits", tableOf(null, heads, rows));
}

function reasonsOf(counts) {
  const named = (title, reasons) => {
    const entries = Object.entries(reasons ?? {});
    return entries.length ? headed(title, scrolling(title, tableOf(null, [["reason", true], ["rows", false], ["share", false]], entries.map(([reason, rows]) => [reason, countText(rows), shareText(rows / counts.records_read)])))) : [];
  };
  return [...named("Rejected rows", counts.rejected_by_reason), ...named("Dropped rows", counts.dropped_by_rule), ...named("Rows by span", counts.read_by_span)];
}

function anomaliesOf(findings) {
  if (!findings.length) return para("None: the data are as the schema says.", "empty");
  return sortableTable("Anomalies", [["column", true], ["severity", true], ["where", true], ["what", true], ["expected", true], ["seen", true]],
    findings.map((one) => [one.column || "(all)", [h("span", { className: `tag ${one.severity}`, textContent: one.severity }), one.severity], one.where, one.what, one.expected, one.seen]));
}

function rulesOf(rules) {
  if (!rules.length) return [];
  const keys = Object.keys(rules[0]);
  return headed("Rules", scrolling("Rules", tableOf(null, keys.map((name) => [name.replaceAll("_", " "), typeof rules[0][name] !== "number"]), rules.map((rule) => keys.map((name) => (typeof rule[name] === "number" ? numberText(rule[name]) : String(rule[name] ?? NONE)))))));
}

function driftTable(drift) {
  if (!drift.length) return [];
  return headed("Drift, nearest to its threshold first", sortableTable("Drift", [["column", true], ["split", true], ["against", true], ["measured", false], ["threshold", false], ["by chance", false], ["measure", true]],
    drift.map((each) => [each.column, each.split, each.against, [numberText(each.value), each.value], [numberText(each.threshold), each.threshold], [numberText(each.chance), each.chance], MEASURES[each.measure] ?? each.measure])));
}
