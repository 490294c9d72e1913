// The charts, in Vega-Lite. Each takes rows from the data source "table".

const SPLITS = ["train", "eval", "test"];
const DASHES = [[1, 0], [6, 3], [2, 2]];
const LABELS = 124; // pixels for the names of values and bins

const table = { name: "table" };
const named = (field) => ({
  field, type: "ordinal", sort: null, title: null,
  axis: { labelLimit: LABELS, minExtent: LABELS, maxExtent: LABELS, domain: false, ticks: false, grid: false, labelPadding: 9 },
});
const measured = (field, format) => ({
  field, type: "quantitative", title: null,
  axis: { ...(format && { format }), tickCount: 4, domain: false, ticks: false, labelPadding: 6 },
});
const ofSplit = (theme, channel, range) => ({ [channel]: { field: "split", type: "nominal", legend: null, scale: { domain: SPLITS, range } } });

/** Shares of all splits over one axis; `type` is quantitative or temporal. */
function histogram(theme, type) {
  const x = { field: "x", type, title: null, axis: { tickCount: 5, grid: false } };
  x.scale = type === "temporal" ? { type: "utc" } : { zero: false, nice: false };
  return {
    data: table,
    encoding: { x, y: { ...measured("share", ".0%"), scale: { domainMin: 0 } } },
    layer: [
      {
        transform: [{ filter: { field: "split", equal: "train" } }],
        mark: { type: "area", interpolate: "step-after", color: theme.train, opacity: 0.16 },
      },
      {
        mark: { type: "line", interpolate: "step-after", strokeWidth: 1.75 },
        encoding: { ...ofSplit(theme, "color", theme.splits), ...ofSplit(theme, "strokeDash", DASHES) },
      },
    ],
  };
}

/** Frequent values: bars for train, marks for the other splits. */
function values(theme) {
  return {
    data: table,
    encoding: { y: named("label"), x: measured("share", ".0%") },
    layer: [
      {
        transform: [{ filter: { field: "split", equal: "train" } }],
        mark: { type: "bar", color: theme.train, opacity: 0.38, height: { band: 0.72 } },
      },
      {
        transform: [{ filter: "datum.split !== 'train'" }],
        mark: { type: "point", size: 42, strokeWidth: 1.75, filled: false },
        encoding: { ...ofSplit(theme, "color", theme.splits), ...ofSplit(theme, "shape", ["circle", "circle", "diamond"]) },
      },
    ],
  };
}

/** A share or a mean for each bin with its interval, and that of all rows as a line. */
function intervals(theme, format) {
  const x = { ...measured("value", format), scale: { zero: format !== "" } };
  return {
    data: table,
    layer: [
      { data: { name: "overall" }, mark: { type: "rule", color: theme.soft, strokeDash: [3, 3] }, encoding: { x } },
      { mark: { type: "rule", color: theme.accent, strokeWidth: 2, opacity: 0.55 }, encoding: { y: named("label"), x: { ...x, field: "low" }, x2: { field: "high" } } },
      { mark: { type: "point", filled: true, color: theme.accent, size: 52, opacity: 1 }, encoding: { y: named("label"), x } },
    ],
  };
}

/** The share of each class in each bin. */
function classes(theme) {
  return {
    data: table,
    mark: { type: "rect", tooltip: { content: "data" } },
    encoding: {
      y: named("label"),
      x: { field: "class", type: "ordinal", sort: null, title: null, axis: { labelAngle: -35, labelLimit: 90, domain: false, ticks: false } },
      color: { field: "value", type: "quantitative", legend: { format: ".0%", title: null, gradientLength: 120 }, scale: { domainMin: 0, interpolate: "rgb", range: [theme.middle, theme.high] } },
    },
  };
}

/** Correlations of each column with each. */
function correlations(theme, withText) {
  const name = (field) => ({ ...named(field), axis: { ...named(field).axis, labelAngle: field === "column" ? -40 : 0 } });
  const cells = {
    mark: { type: "rect", tooltip: { content: "data" } },
    encoding: { color: { field: "value", type: "quantitative", legend: null, scale: { domain: [-1, 0, 1], interpolate: "rgb", range: [theme.low, theme.middle, theme.high] } } },
  };
  const text = {
    mark: { type: "text", fontSize: 10 },
    encoding: {
      text: { field: "value", type: "quantitative", format: ".2f" },
      color: { condition: { test: "abs(datum.value) > 0.55", value: theme.card }, value: theme.ink },
    },
  };
  return { data: table, encoding: { y: name("row"), x: name("column") }, layer: withText ? [cells, text] : [cells] };
}

const SPECS = {
  number: (theme) => histogram(theme, "quantitative"),
  time: (theme) => histogram(theme, "temporal"),
  category: values,
  share: (theme) => intervals(theme, ".0%"),
  mean: (theme) => intervals(theme, ""),
  classes,
  correlations: (theme) => correlations(theme, true),
  small_correlations: (theme) => correlations(theme, false),
};
