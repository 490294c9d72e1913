// The metrics beside the baselines, and the curves behind them.

const ROLES = { model: "this model", logistic: "baseline", linear: "baseline", last_blessed: "before" };

function metricsCard(card) {
  const shown = card.metrics.filter((metric) => card.models.some((model) => typeof model.metrics[metric.name] === "number"));
  const weighed = card.weight ? ` Rows count by ${card.weight}.` : "";
  const intervals = card.models.some((model) => Object.keys(model.intervals).length);
  const note = intervals ? " Small figures are 95 % intervals of the bootstrap." : "";
  return [panel(
    para(`On ${plural(card.rows, "row")} of the ${card.split} split.${weighed}${note}`),
    metricTable(card, shown),
    grid(objectiveOf(card, shown)),
    ...({ binary: binaryOf, multiclass: multiclassOf, regression: regressionOf }[card.task] ?? (() => []))(card),
    coverageOf(card),
  )];
}

function metricTable(card, shown) {
  const best = (metric) => {
    const values = card.models.map((model) => model.metrics[metric.name]).filter((value) => typeof value === "number");
    return metric.better === null ? null : Math[metric.better === "higher" ? "max" : "min"](...values);
  };
  const bound = (metric) => {
    const { min, max } = card.bounds[metric.name] ?? {};
    return [typeof min === "number" ? `≥ ${numberText(min)}` : "", typeof max === "number" ? `≤ ${numberText(max)}` : ""].filter(Boolean).join(", ") || NONE;
  };
  const cell = (model, metric) => {
    const value = model.metrics[metric.name], interval = model.intervals[metric.name];
    const text = h(value === best(metric) && value !== undefined && value !== null ? "strong" : "span", { textContent: metricText(value) });
    return interval ? h("span", {}, text, h("br"), h("span", { className: "interval", textContent: `${metricText(interval[0])} to ${metricText(interval[1])}` })) : text;
  };
  const arrow = { higher: " ↑", lower: " ↓" };
  const table = tableOf(
    null, [["metric", true], ...card.models.map((model) => [model.title, false]), ["allowed", false]],
    shown.map((metric) => [h("span", { title: metric.meaning, textContent: `${metric.title}${arrow[metric.better] ?? ""}` }), ...card.models.map((model) => cell(model, metric)), bound(metric)]), "wide",
  );
  return h("div", {}, scrolling("Metrics", table), para("↑ more is better, ↓ less is better. The best value is bold.", "note"));
}

/** The objective of each model with its interval. */
function objectiveOf(card, shown) {
  const metric = shown.find((each) => each.name === card.objective) ?? shown[0];
  if (!metric) return null;
  const rows = card.models.filter((model) => typeof model.metrics[metric.name] === "number").map((model) => {
    const value = model.metrics[metric.name], [low, high] = model.intervals[metric.name] ?? [value, value];
    return { label: model.title, value, low, high, tone: model.name === "model" ? "" : "soft" };
  });
  return picture(`${metric.title}, the objective`, "forest", rows.length * 22 + AXIS, { table: rows, overall: [] }, `${metric.title} of each model`);
}

/** The points of a curve of each model, for one class. */
function modelRows(curves, k, pointsOf) {
  return Object.entries(curves.models).filter(([name]) => name in ROLES).flatMap(([name, classes]) =>
    classes[k] ? pointsOf(classes[k]).map((point, i) => ({ model: ROLES[name], i, ...point })) : []);
}

const rocOf = (one) => [{ x: 0, y: 0 }, ...one.thresholds.map((threshold, i) => ({ x: one.negatives ? one.false[i] / one.negatives : 0, y: one.positives ? one.true[i] / one.positives : 0, threshold })), { x: 1, y: 1 }];
const precisionOf = (one) => one.thresholds.map((threshold, i) => ({ x: one.positives ? one.true[i] / one.positives : 0, y: one.true[i] + one.false[i] ? one.true[i] / (one.true[i] + one.false[i]) : 1, threshold }));

function modelKey(curves) {
  const lines = [["this model", "train"]];
  if ("logistic" in curves.models || "linear" in curves.models) lines.push(["linear baseline", "eval", "6 3"]);
  if ("last_blessed" in curves.models) lines.push(["served before", "test", "2 2"]);
  return key(lines);
}

function reliabilityOf(card, k) {
  const cells = (cells, when) => (cells ?? []).map((cell) => ({ when, ...cell }));
  const table = [...cells(card.reliability[k], "after"), ...cells(card.uncalibrated?.[k], "before")];
  if (!table.length) return null;
  const title = card.uncalibrated ? "Calibration, ● after and ◆ before" : "Calibration";
  return picture(title, "reliability", 240, { table }, `Calibration of ${card.classes[k + (card.task === "binary" ? 1 : 0)] ?? "the score"}`, "The share seen has Wilson's 95 % interval.");
}

function multiclassOf(card) {
  const { confusion, classes } = card;
  const table = confusion.flatMap((row, i) => {
    const total = row.reduce((sum, rows) => sum + rows, 0);
    return row.map((rows, j) => ({ class: classes[i], answer: classes[j], rows, share: total ? rows / total : 0 }));
  });
  const small = classes.length <= 16;
  const blocks = [...headed("Confusion", picture("Rows by class and answer", small ? "confusion" : "large_confusion", Math.min(classes.length * 34 + 110, 700), { table }, "Confusion matrix", "Darker is a larger share of the class."))];
  const curves = card.curves?.models.model ?? [];
  const lines = (pointsOf) => curves.slice(0, 10).flatMap((one) => pointsOf(one).map((point, i) => ({ class: classes[one.index], i, ...point })));
  if (curves.length) blocks.push(...headed("Curves of each class", grid(
    picture("ROC, each class against the others", "class_roc", 280, { table: lines(rocOf) }, "ROC curve of each class"),
    picture("Precision and recall", "class_precision", 280, { table: lines(precisionOf) }, "Precision and recall of each class"),
  )));
  const drawnClasses = card.reliability.slice(0, 12).map((_, k) => k);
  if (drawnClasses.length) {
    const pages = drawnClasses.map((k) => [classes[k], () => grid(reliabilityOf(card, k), scoresOf(card, k))]);
    blocks.push(...headed("Calibration of each class", tabs("Calibration of a class", pages)));
  }
  return blocks;
}

/** How the scores of a class spread over its rows and over the others. */
function scoresOf(card, k) {
  const one = card.curves?.histograms?.[k];
  if (!one) return null;
  const names = card.task === "binary" ? [card.classes[0], card.classes[1]] : [`not ${card.classes[k]}`, card.classes[k]];
  const rows = [one.no, one.yes].flatMap((counts, i) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return one.edges.map((score, j) => ({ class: `${card.label} ${names[i]}`, score, share: total ? (counts[Math.min(j, counts.length - 1)] ?? 0) / total : 0 }));
  });
  return picture("Scores by class", "scores", 240, { table: rows }, "Scores of the rows of each class", "Shares of the rows of each class.");
}

function regressionOf(card) {
  const found = card.curves?.numbers;
  if (!found) return [];
  const table = found.points.map(([prediction, label]) => ({ prediction, label }));
  const least = Math.min(...found.points.flat()), most = Math.max(...found.points.flat());
  const total = found.residuals.counts.reduce((sum, count) => sum + count, 0);
  const bins = found.residuals.counts.map((count, i) => ({ start: found.residuals.edges[i], end: found.residuals.edges[i + 1], share: count / total }));
  return headed("Errors", grid(
    picture("Predicted and actual", "pairs", 260, { table, line: [{ prediction: least, label: least }, { prediction: most, label: most }] }, `Predicted and actual ${card.label}`, `${plural(table.length, "row")}, drawn at random; a perfect model is on the line.`),
    picture("Residuals", "residuals", 260, { table: bins }, "Histogram of the residuals", "The outermost bins include what is beyond."),
    picture("Residuals by prediction", "spread", 260, { table: found.tenths }, "Residuals by tenths of the predictions", "By tenths of the predictions: the median, the middle half and 90 % of the rows."),
  ));
}

function coverageOf(card) {
  if (card.coverage === null) return null;
  const wanted = typeof card.wanted_coverage === "number" ? `, of ${shareText(card.wanted_coverage)} wanted` : "";
  return para(`The interval or set of classes has the label in ${shareText(card.coverage)} of the rows${wanted}.`);
}
