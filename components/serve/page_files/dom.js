// Creates elements. Text is inserted as text, so that no name or value from data can become markup.

const SVG = "http://www.w3.org/2000/svg";

const byId = (id) => document.getElementById(id);

/** Create an HTML element; its properties are set as such, all else as attributes. */
function h(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) node[name] = value;
    else if (value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Create an SVG element; everything is an attribute. */
function s(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Return a function that calls another one after a pause of some milliseconds. */
function afterCalm(milliseconds, action) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds);
  };
}

/** Format a score or a probability with three digits, as 0.000 or 1.000 only if it is exactly that. */
function scoreText(score) {
  if (score === null || score === undefined) return "not a number";
  if (score > 0 && score < 0.001) return "<0.001";
  if (score < 1 && score > 0.999) return ">0.999";
  return score.toFixed(3);
}

/** Format a number with no more digits than are useful. */
function numberText(value) {
  if (typeof value !== "number") return "–";
  if (Number.isInteger(value))
    return Math.abs(value) < 10_000 ? String(value) : value.toLocaleString("en");
  return String(Number(value.toPrecision(4)));
}
