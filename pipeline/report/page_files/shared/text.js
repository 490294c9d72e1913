// The data of the page.
const content = JSON.parse(document.getElementById("content").textContent);

// Numbers, shares and times as text.

const NONE = "–";

/** Format a number with no more digits than are useful, but enough to see a step beside it. */
function numberText(value, step = Infinity) {
  if (typeof value !== "number") return NONE;
  const size = Math.abs(value);
  if (size >= 1e15 || (size > 0 && size < 1e-4)) return value.toExponential(2);
  if (Number.isInteger(value) || (size >= 1e4 && step >= 1))
    return value.toLocaleString("en", { maximumFractionDigits: 0, useGrouping: size >= 1e4 });
  const digits = Math.ceil(Math.log10(size / step)) + 1;
  return String(Number(value.toPrecision(Math.min(15, Math.max(4, digits)))));
}

/** Format a count. */
const countText = (value) => value.toLocaleString("en");

/** Format a share; 0 and 100 % only if it is exactly that. */
function shareText(share) {
  if (typeof share !== "number") return NONE;
  if (share === 0) return "0 %";
  if (share === 1) return "100 %";
  if (share < 0.0001) return "<0.01 %";
  if (share > 0.9999) return ">99.99 %";
  return `${(share * 100).toFixed(share < 0.1 || share > 0.99 ? 2 : 1)} %`;
}

/** Format a time in milliseconds, in UTC; without a time of day if it is midnight. */
function timeText(milliseconds) {
  if (typeof milliseconds !== "number") return NONE;
  const time = new Date(milliseconds);
  if (Number.isNaN(time.getTime())) return NONE;
  const text = time.toISOString().replace(/\.\d+Z$/, "Z").replace(/:00Z$/, "Z");
  return text.endsWith("T00:00Z") ? text.slice(0, 10) : text.replace("T", " ").replace("Z", "");
}

/** Return "1 row", "2 rows". */
const plural = (count, noun, many = `${noun}s`) => `${countText(count)} ${count === 1 ? noun : many}`;

/** Format seconds; minutes and hours from two minutes on. */
function secondsText(seconds) {
  if (typeof seconds !== "number") return NONE;
  if (seconds < 120) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Format bytes. */
function bytesText(bytes) {
  if (typeof bytes !== "number") return NONE;
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** Format a metric: four decimal places, none of large ones. */
function metricText(value) {
  if (typeof value !== "number") return NONE;
  return Math.abs(value) < 1000 ? value.toFixed(4) : Math.round(value).toLocaleString("en");
}

/** Texts that differ, though they look the same: a chart has one row for each. */
const distinct = (texts) => texts.map((text, i) => text + "\u200b".repeat(i));
const valueText = (value) => (value === "" ? "(empty)" : value);

const MEASURES = {
  L_INFTY: "largest difference of a share",
  JENSEN_SHANNON_DIVERGENCE: "Jensen-Shannon divergence",
  NORMALIZED_ABSOLUTE_DIFFERENCE: "normalized difference of counts",
};
