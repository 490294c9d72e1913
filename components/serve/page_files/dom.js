// Makes elements. Text is inserted as text, so that no name or value from data can become markup.

const SVG = "http://www.w3.org/2000/svg";

const byId = (id) => document.getElementById(id);

/** Make an HTML element; what it has as a property is set as one, the rest as attributes. */
function h(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) node[name] = value;
    else if (value !== null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Make an SVG element; every property is an attribute. */
function s(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Return a function that calls another once things have been calm for some milliseconds. */
function afterCalm(milliseconds, action) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, milliseconds);
  };
}

/** Write a score or a probability: three digits, and never 0.000 or 1.000 for what is neither. */
function scoreText(score) {
  if (score === null || score === undefined) return "not a number";
  if (score > 0 && score < 0.001) return "<0.001";
  if (score < 1 && score > 0.999) return ">0.999";
  return score.toFixed(3);
}

/** Write a number for people: no more digits than tell something. */
function numberText(value) {
  if (typeof value !== "number") return "–";
  if (Number.isInteger(value))
    return Math.abs(value) < 10_000 ? String(value) : value.toLocaleString("en");
  return String(Number(value.toPrecision(4)));
}
