// What differs from the last run whose model was pushed.

const KEPT = "Not kept by both runs.";
const MOVED = { L_INFTY: "largest difference of a value's share", MEAN: "difference of the means, in standard deviations", MISSING: "difference of the share without a value" };

function verdictTag(verdict) {
  if (verdict === null) return NONE;
  return h("span", { className: verdict, textContent: verdict });
}

function changesCard(card) {
  const against = `Compared with the run ${card.before}${card.version === null ? "" : `, which pushed version ${card.version}`}.`;
  return [panel(
    para(against),
    ...headed("Configuration", configurationChanges(card)),
    h("div", { className: "pair" }, h("div", {}, ...headed("Metrics", metricChanges(card))), h("div", {}, ...headed("Rows", rowChanges(card.rows)))),
    scoreChanges(card.scores),
    ...headed("Slices", sliceChanges(card.slices)),
    ...headed("Columns of the training split", columnChanges(card.columns)),
  )];
}

function configurationChanges(card) {
  if (card.settings === null) return para(KEPT, "empty");
  const text = (value) => JSON.stringify(value) ?? NONE;
  const lines = [...(card.schema_lines ?? []).map((line) => ["schema.pbtxt", line]), ...(card.code_lines ?? []).map((line) => ["features.py", line])];
  if (!card.settings.length && !lines.length) return para("No change.", "empty");
  const table = card.settings.length ? scrolling("Changed settings", tableOf(null, [["key of pipeline.yaml", true], ["before", true], ["after", true]], card.settings.map((each) => [each.key, text(each.before), text(each.after)]), "wide")) : null;
  const diff = lines.length ? h("div", { className: "diff" }, ...lines.map(([file, line]) => h("span", { className: line.startsWith("+") ? "more" : "less", textContent: `${file} ${line}` }))) : null;
  return h("div", {}, ...[table, diff].filter(Boolean));
}

function rowChanges([before, after]) {
  if (!before || !after) return para(KEPT, "empty");
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return scrolling("Rows before and after", tableOf(null, [["rows", true], ["before", false], ["after", false], ["change", false]],
    names.map((name) => [name, countText(before[name] ?? 0), countText(after[name] ?? 0), signed((after[name] ?? 0) - (before[name] ?? 0), countText)])));
}

function metricChanges(card) {
  if (card.metrics === null) return para(KEPT, "empty");
  const change = (each) => (each.before === null || each.after === null ? null : each.after - each.before);
  const cell = (interval, text, form = metricText) => (interval ? h("span", {}, text, h("br"), h("span", { className: "interval", textContent: `${form(interval[0])} to ${form(interval[1])}` })) : text);
  return scrolling("Metrics before and after", tableOf(null, [["metric", true], ["before", false], ["after", false], ["change", false], ["", true]],
    card.metrics.map((each) => [each.title, cell(card.intervals.before[each.name], metricText(each.before)), cell(card.intervals.after[each.name], metricText(each.after)), cell(card.intervals.gains[each.name], signed(change(each)), signed), verdictTag(each.verdict)])));
}

/** The scores of the same rows by both models. */
function scoreChanges(scores) {
  if (scores.length < 10) return null;
  const table = scores.map(([label, before, after]) => ({ before, after, label }));
  const ends = scores.flatMap(([, before, after]) => [before, after]);
  const line = [Math.min(...ends), Math.max(...ends)].map((value) => ({ before: value, after: value }));
  const moved = scores.reduce((sum, [, before, after]) => sum + Math.abs(after - before), 0) / scores.length;
  return picture("Scores against scores", "score_pairs", 300, { table, line }, "Scores of both models on the same rows", `${plural(scores.length, "row")} of the test split, drawn at random; a score moved by ${metricText(moved)} on average.`);
}

function sliceChanges(slices) {
  if (slices === null) return para(KEPT, "empty");
  if (!slices.length) return para("No slice differs.", "empty");
  return sortableTable("Slices before and after", [["slice", true], ["rows before", false], ["rows after", false], ["before", false], ["after", false], ["change", false], ["", true]],
    slices.map((each) => {
      const { before, after, verdict } = each.change;
      return [`${each.column} = ${valueText(each.value)}`, ...each.examples.map((rows) => [countText(rows), rows]), [metricText(before), before], [metricText(after), after], [signed(after - before), after - before], [verdictTag(verdict), verdict]];
    }));
}

function columnChanges(columns) {
  if (columns === null) return para(KEPT, "empty");
  if (!columns.length) return para("No column moved further than by chance.", "empty");
  return sortableTable("Columns that moved", [["column", true], ["moved", false], ["by chance", false], ["measure", true]],
    columns.map((each) => [each.column, [numberText(each.value), each.value], [numberText(each.chance), each.chance], MOVED[each.measure] ?? each.measure]));
}
