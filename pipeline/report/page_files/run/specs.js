// The charts of a run's report, in Vega-Lite. Each takes rows from the data source "table".

const axis = (field, title, more = {}) => ({
  field, type: "quantitative", title,
  axis: { tickCount: 5, labelOverlap: "greedy", domain: false, ticks: false, labelPadding: 6, titleFontWeight: "normal", ...more.axis },
  scale: { ...more.scale },
});
const widely = (field) => ({ ...named(field), axis: { ...named(field).axis, labelLimit: 200, minExtent: 60, maxExtent: 200 } });
const UNIT = { scale: { domain: [0, 1], nice: false } };
const MODELS = ["this model", "baseline", "before"];
const ofModel = (theme) => ({
  color: { field: "model", type: "nominal", legend: null, scale: { domain: MODELS, range: theme.splits } },
  strokeDash: { field: "model", type: "nominal", legend: null, scale: { domain: MODELS, range: DASHES } },
});
const STATES = ["done", "cached", "failed", "waiting"];
const ofState = (theme) => ({ field: "state", type: "nominal", legend: null, scale: { domain: STATES, range: [theme.train, theme.test, theme.bad, theme.soft] } });

/** The DAG: boxes with their names and times, at places that are computed before. */
function dag(theme, width) {
  const place = (field) => ({ field, type: "quantitative", axis: null, scale: { zero: false, nice: false, padding: field === "x" ? width / 2 + 4 : 24 } });
  const edge = { x: place("x"), y: place("y"), x2: { field: "x2" }, y2: { field: "y2" } };
  return {
    layer: [
      { data: { name: "edges" }, mark: { type: "rule", color: theme.soft, strokeWidth: 1.25, opacity: 0.7 }, encoding: edge },
      { data: table, mark: { type: "point", shape: `M-1,-${36 / width}H1V${36 / width}H-1Z`, size: width * width, opacity: 1, fill: theme.card, strokeWidth: 1.75 }, encoding: { x: place("x"), y: place("y"), stroke: ofState(theme) } },
      { data: table, mark: { type: "text", dy: -7, fontSize: 11, fontWeight: 600, color: theme.ink, limit: width - 8 }, encoding: { x: place("x"), y: place("y"), text: { field: "stage" } } },
      { data: table, mark: { type: "text", dy: 8, fontSize: 10.5, color: theme.soft, limit: width - 8 }, encoding: { x: place("x"), y: place("y"), text: { field: "about" } } },
    ],
  };
}

/** When each stage ran. */
function timeline(theme) {
  const y = named("stage");
  return {
    data: table,
    layer: [
      { mark: { type: "bar", height: { band: 0.62 }, minBandSize: 2, cornerRadius: 2 }, encoding: { y, x: axis("start", "seconds since the first stage", { scale: { nice: false } }), x2: { field: "end" }, color: ofState(theme) } },
      { mark: { type: "text", align: "left", dx: 5, fontSize: 10.5, color: theme.soft }, encoding: { y, x: { field: "end", type: "quantitative" }, text: { field: "about" } } },
    ],
  };
}

/** Losses by epoch; the kept round of each fold is marked. */
function losses(theme) {
  const series = { domain: ["train", "eval"], range: [theme.train, theme.eval] };
  return {
    layer: [
      { data: { name: "kept" }, mark: { type: "rule", color: theme.soft, strokeDash: [3, 3] }, encoding: { x: { field: "epoch", type: "quantitative" } } },
      {
        data: table, mark: { type: "line", strokeWidth: 1.75, clip: true },
        encoding: {
          x: axis("epoch", "epoch", { scale: { zero: false, nice: false }, axis: { grid: false } }), y: axis("loss", null, { scale: { zero: false } }),
          color: { field: "split", type: "nominal", legend: null, scale: series },
          strokeDash: { field: "split", type: "nominal", legend: null, scale: { domain: series.domain, range: DASHES.slice(0, 2) } },
          detail: { field: "fold", type: "nominal" },
        },
      },
      { data: { name: "kept" }, mark: { type: "point", filled: true, size: 60, color: theme.eval, opacity: 1 }, encoding: { x: { field: "epoch", type: "quantitative" }, y: { field: "loss", type: "quantitative" } } },
    ],
  };
}

/** One figure by epoch, a line for each fold. */
function byEpoch(theme) {
  return {
    data: table, mark: { type: "line", strokeWidth: 1.75, color: theme.train },
    encoding: { x: axis("epoch", "epoch", { scale: { zero: false, nice: false }, axis: { grid: false } }), y: axis("value", null, { scale: { zero: false } }), detail: { field: "fold", type: "nominal" } },
  };
}

/** A curve between two shares for each model; `across` draws the line of chance. */
function curve(theme, x, y, across) {
  const shares = { x: axis("x", x, { ...UNIT, axis: { format: ".0%" } }), y: axis("y", y, { ...UNIT, axis: { format: ".0%" } }) };
  const chance = { data: { values: [{ x: 0, y: 0 }, { x: 1, y: 1 }] }, mark: { type: "line", color: theme.soft, strokeDash: [2, 3], strokeWidth: 1 }, encoding: shares };
  return {
    layer: [
      ...(across ? [chance] : []),
      { data: table, mark: { type: "line", strokeWidth: 1.75, interpolate: "linear" }, encoding: { ...shares, ...ofModel(theme), order: { field: "i", type: "quantitative" } } },
      { data: { name: "mark" }, mark: { type: "point", filled: true, size: 80, color: theme.accent, opacity: 1 }, encoding: shares },
    ],
  };
}

/** The same with a line for each class. */
function classCurve(theme, x, y) {
  const shares = { x: axis("x", x, { ...UNIT, axis: { format: ".0%" } }), y: axis("y", y, { ...UNIT, axis: { format: ".0%" } }) };
  return {
    data: table, mark: { type: "line", strokeWidth: 1.75 },
    encoding: { ...shares, color: { field: "class", type: "nominal", sort: null, scale: { scheme: "tableau10" }, legend: { title: null, orient: "bottom", columns: 3, labelLimit: 90, symbolStrokeWidth: 2 } }, order: { field: "i", type: "quantitative" } },
  };
}

/** Mean scores and the shares seen, with intervals, beside the line where both are equal. */
function reliability(theme) {
  const shares = { x: axis("score", "mean score", { ...UNIT, axis: { format: ".0%" } }), y: axis("share", "share seen", { ...UNIT, axis: { format: ".0%" } }) };
  const color = { field: "when", type: "nominal", legend: null, scale: { domain: ["after", "before"], range: [theme.train, theme.eval] } };
  return {
    layer: [
      { data: { values: [{ score: 0, share: 0 }, { score: 1, share: 1 }] }, mark: { type: "line", color: theme.soft, strokeDash: [2, 3], strokeWidth: 1 }, encoding: shares },
      { data: table, mark: { type: "rule", strokeWidth: 2, opacity: 0.5 }, encoding: { x: shares.x, y: { field: "low", type: "quantitative" }, y2: { field: "high" }, color } },
      { data: table, mark: { type: "point", filled: true, size: 46, opacity: 1 }, encoding: { ...shares, color, shape: { field: "when", type: "nominal", legend: null, scale: { domain: ["after", "before"], range: ["circle", "diamond"] } } } },
    ],
  };
}

/** How the scores of the rows of two classes spread. */
function scores(theme) {
  return {
    data: table,
    mark: { type: "area", interpolate: "step-after", opacity: 0.35, line: { strokeWidth: 1.5, interpolate: "step-after" } },
    encoding: {
      x: axis("score", "score", { ...UNIT, axis: { grid: false } }), y: { ...axis("share", null, { axis: { format: ".0%" } }), stack: null },
      color: { field: "class", type: "nominal", sort: null, legend: { title: null, orient: "bottom", symbolType: "square" }, scale: { range: [theme.eval, theme.train] } },
    },
  };
}

/** What a decision costs by its threshold. */
function costs(theme) {
  const x = axis("threshold", "threshold", { ...UNIT, axis: { grid: false } });
  return {
    layer: [
      { data: table, mark: { type: "line", strokeWidth: 1.75, color: theme.train }, encoding: { x, y: axis("cost", null, { scale: { zero: true } }), order: { field: "threshold", type: "quantitative" } } },
      { data: { name: "mark" }, mark: { type: "point", filled: true, size: 80, color: theme.accent, opacity: 1 }, encoding: { x, y: { field: "cost", type: "quantitative" } } },
    ],
  };
}

/** Rows by their class and the answer. */
function confusion(theme, withText) {
  const place = (field, title) => ({ field, type: "ordinal", sort: null, title, axis: { labelLimit: LABELS, domain: false, ticks: false, labelAngle: field === "answer" ? -35 : 0, titleFontWeight: "normal" } });
  const cells = { mark: { type: "rect", tooltip: { content: "data" } }, encoding: { color: { field: "share", type: "quantitative", legend: null, scale: { domain: [0, 1], interpolate: "rgb", range: [theme.middle, theme.high] } } } };
  const text = { mark: { type: "text", fontSize: 11 }, encoding: { text: { field: "rows", type: "quantitative", format: "," }, color: { condition: { test: "datum.share > 0.55", value: theme.card }, value: theme.ink } } };
  return { data: table, encoding: { y: place("class", "class"), x: place("answer", "answer") }, layer: withText ? [cells, text] : [cells] };
}

/** Bars over an axis of numbers, from `start` to `end`. */
const bars = (theme, title) => ({
  data: table, mark: { type: "rect", color: theme.train, opacity: 0.6 },
  encoding: { x: axis("start", title, { scale: { zero: false, nice: false }, axis: { grid: false } }), x2: { field: "end" }, y: axis("share", null, { axis: { format: "%" } }), y2: { datum: 0 } },
});

/** Two numbers of single rows, beside the line where both are equal. */
function pairs(theme, first, second) {
  const x = axis(first, first, { scale: { zero: false } }), y = axis(second, second, { scale: { zero: false } });
  return {
    layer: [
      { data: { name: "line" }, mark: { type: "line", color: theme.soft, strokeDash: [2, 3], strokeWidth: 1 }, encoding: { x, y } },
      { data: table, mark: { type: "point", filled: true, size: 16, color: theme.train, opacity: 0.45 }, encoding: { x, y } },
    ],
  };
}

/** Residuals by tenths of the predictions, with their middle half and 90 %. */
function spread(theme) {
  const x = axis("prediction", "prediction", { scale: { zero: false } });
  return {
    data: table,
    layer: [
      { data: { values: [{ zero: 0 }] }, mark: { type: "rule", color: theme.soft, strokeDash: [2, 3] }, encoding: { y: { field: "zero", type: "quantitative" } } },
      { mark: { type: "rule", strokeWidth: 1.5, color: theme.train, opacity: 0.6 }, encoding: { x, y: axis("q5", "label − prediction"), y2: { field: "q95" } } },
      { mark: { type: "rule", strokeWidth: 6, color: theme.train, opacity: 0.5 }, encoding: { x, y: { field: "q25", type: "quantitative" }, y2: { field: "q75" } } },
      { mark: { type: "point", filled: true, size: 40, color: theme.eval, opacity: 1 }, encoding: { x, y: { field: "median", type: "quantitative" } } },
    ],
  };
}

/** A value with its interval in each row, beside a line for all rows. */
function forest(theme) {
  const x = axis("value", null, { scale: { zero: false } });
  const color = { field: "tone", type: "nominal", legend: null, scale: { domain: ["", "good", "bad", "soft"], range: [theme.accent, theme.good, theme.bad, theme.soft] } };
  return {
    data: table,
    layer: [
      { data: { name: "overall" }, mark: { type: "rule", color: theme.soft, strokeDash: [3, 3] }, encoding: { x } },
      { mark: { type: "rule", strokeWidth: 2, opacity: 0.55 }, encoding: { y: widely("label"), x: { ...x, field: "low" }, x2: { field: "high" }, color } },
      { mark: { type: "point", filled: true, size: 52, opacity: 1 }, encoding: { y: widely("label"), x, color } },
    ],
  };
}

/** Drops by column, one mark for each split. */
function drops(theme) {
  const x = axis("drop", null), y = widely("label");
  const offset = { yOffset: { field: "split", type: "nominal", scale: { domain: SPLITS } } };
  return {
    data: table,
    layer: [
      { data: { values: [{ drop: 0 }] }, mark: { type: "rule", color: theme.soft }, encoding: { x } },
      { mark: { type: "bar", opacity: 0.4, cornerRadiusEnd: 2 }, encoding: { y, x, ...offset, ...ofSplit(theme, "color", theme.splits) } },
      { mark: { type: "rule", strokeWidth: 1.75 }, encoding: { y, x: { ...x, field: "low" }, x2: { field: "high" }, ...offset, ...ofSplit(theme, "color", theme.splits) } },
    ],
  };
}

/** The mean answer by a column's value, with its interval. */
function dependence(theme, type) {
  const x = type === "category" ? null : { field: "value", type: type === "time" ? "temporal" : "quantitative", title: null, axis: { tickCount: 4, grid: false }, scale: type === "time" ? { type: "utc" } : { zero: false, nice: false } };
  if (x === null) return forest(theme);
  const y = axis("mean", null, { scale: { zero: false } });
  return {
    data: table,
    layer: [
      { mark: { type: "area", opacity: 0.16, color: theme.train }, encoding: { x, y: { field: "low", type: "quantitative" }, y2: { field: "high" } } },
      { mark: { type: "line", strokeWidth: 1.75, point: { size: 18 } }, encoding: { x, y, color: { field: "class", type: "nominal", legend: null, sort: null, scale: { range: [theme.train, theme.eval, theme.test, theme.accent, theme.wait, theme.bad] } } } },
    ],
  };
}

/** The share of rows in each bin, small. */
const small = (theme, type) => ({
  data: table, mark: { type: "rect", color: theme.train, opacity: 0.6 },
  encoding: { x: { field: "start", type, title: null, axis: { tickCount: 3, grid: false }, scale: type === "temporal" ? { type: "utc" } : { zero: false, nice: false } }, x2: { field: "end" }, y: { field: "share", type: "quantitative", axis: null, scale: { domainMin: 0 } }, y2: { datum: 0 } },
});

/** The share of rows of each value, small. */
const few = (theme) => ({
  data: table, mark: { type: "bar", color: theme.train, opacity: 0.5, height: { band: 0.72 } },
  encoding: { y: named("label"), x: { field: "share", type: "quantitative", title: null, axis: { format: ".0%", tickCount: 3, domain: false, ticks: false } } },
});

Object.assign(SPECS, {
  dag_wide: (theme) => dag(theme, 112), dag_middle: (theme) => dag(theme, 88), dag_tall: (theme) => dag(theme, 140),
  timeline, losses, by_epoch: byEpoch, reliability, scores, costs, spread, forest, drops, few,
  roc: (theme) => curve(theme, "false positive rate", "recall", true),
  precision: (theme) => curve(theme, "recall", "precision", false),
  class_roc: (theme) => classCurve(theme, "false positive rate", "recall"),
  class_precision: (theme) => classCurve(theme, "recall", "precision"),
  confusion: (theme) => confusion(theme, true),
  large_confusion: (theme) => confusion(theme, false),
  pairs: (theme) => pairs(theme, "prediction", "label"),
  score_pairs: (theme) => pairs(theme, "before", "after"),
  residuals: (theme) => bars(theme, "label − prediction"),
  small: (theme) => small(theme, "quantitative"),
  small_time: (theme) => small(theme, "temporal"),
  dependence_number: (theme) => dependence(theme, "number"),
  dependence_time: (theme) => dependence(theme, "time"),
});
