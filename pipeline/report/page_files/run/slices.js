// The slices, worst first.

function slicesCard(card) {
  const objective = card.metrics.find((metric) => metric.name === card.objective);
  const others = card.metrics.filter((metric) => metric !== objective);
  const overall = card.overall[card.objective];
  const sure = card.slices.filter((slice) => slice.rows >= card.least && typeof slice.metrics[card.objective] === "number").slice(0, 15);
  const labels = distinct(sure.map((slice) => `${slice.column} = ${valueText(slice.value)}`));
  const worse = (value) => (card.better === "higher" ? value < overall : value > overall);
  const table = sure.map((slice, i) => {
    const value = slice.metrics[card.objective], [low, high] = slice.interval ?? [value, value];
    const apart = card.better === "higher" ? high < overall : low > overall;
    return { label: labels[i], value, low, high, rows: slice.rows, tone: slice.interval && apart ? "bad" : "" };
  });
  const cell = (slice, metric) => {
    const value = slice.metrics[metric.name];
    const text = metric === objective && slice.interval ? h("span", {}, metricText(value), " ", h("span", { className: "interval", textContent: `${metricText(slice.interval[0])} to ${metricText(slice.interval[1])}` })) : metricText(value);
    return [text, value ?? null];
  };
  const heads = [["column", true], ["value", true], ["rows", false], ["share", false], ...[objective, ...others].map((metric) => [metric.title, false])];
  const rows = card.slices.map((slice) => [slice.column, valueText(slice.value), [slice.rows < card.least ? `${countText(slice.rows)} *` : countText(slice.rows), slice.rows], [shareText(slice.rows / card.rows), slice.rows], ...[objective, ...others].map((metric) => cell(slice, metric))]);
  const bad = sure.filter((slice) => worse(slice.metrics[card.objective])).length;
  return [panel(
    para(`${objective.title} of all rows is ${metricText(overall)}, and ${card.better === "lower" ? "less" : "more"} is better; ${bad ? `${bad} of the slices below are worse` : "no slice of enough rows is worse"}.`),
    table.length ? picture(`Worst slices by ${objective.title}`, "forest", table.length * STEP + AXIS + 8, { table, overall: [{ value: overall }] }, `Worst slices by ${objective.title}`, "The dashed line is the value of all rows; red slices differ from it by more than chance.") : null,
    tall(sortableTable("Slices", heads, rows)),
    para(`* fewer than ${plural(card.least, "row")}: of little meaning.${card.left_out ? ` ${plural(card.left_out, "better slice")} left out.` : ""}`, "note"),
  )];
}
