// The effect of each field: other values for one field at a time, the rest of the row unchanged.

const MOST_VALUES = 40; // of a field: a chart cannot show more
const MOST_CELLS = 200_000; // of a request: rows times inputs
const COLUMNS_SPAN = 100; // the widest range of integers with a column for each

/**
 * Return the values to try in a field, as texts, and how to draw them.
 *
 * Values from the schema or the vocabulary are used as they are: as columns for a short range of
 * integers (hours, districts), otherwise as bars. Other numbers are evenly spaced over a range.
 */
function candidates(input, current, most) {
  if (input.most) {
    const single = listsOf(input, (input.values ?? input.known ?? []).slice(0, most - 1));
    return { shape: "bars", values: withCurrent(["[]", ...single], current) };
  }
  const short =
    typeOf(input).whole &&
    input.maximum - input.minimum <= COLUMNS_SPAN &&
    input.minimum !== null &&
    input.maximum !== null;
  if (short) return { shape: "columns", values: withCurrent(integers(input), current) };
  const listed = input.values ?? input.known;
  if (listed) return { shape: "bars", values: withCurrent(listed.slice(0, most), current) };
  if (typeOf(input).text) return { shape: "bars", values: withCurrent([], current) };
  return { shape: "line", values: withCurrent(evenly(input, current, most), current) };
}

function integers({ minimum, maximum }) {
  return Array.from({ length: maximum - minimum + 1 }, (_, index) => String(minimum + index));
}

const withCurrent = (values, current) =>
  current === "" || values.includes(current) ? values : [...values, current];

/** Return numbers from the schema's range; an open end extends around the row's value. */
function evenly(input, current, most) {
  const own = [current, input.example].map(Number).find((n) => Number.isFinite(n) && n !== 0) ?? 1;
  // Of times a year before and a year after the row's.
  const reach = typeOf(input).time ? UNITS_OF_A_YEAR[input.form[0]] / 2 : Math.abs(own);
  const low = input.minimum ?? (input.maximum ?? own) - 2 * reach;
  const high = input.maximum ?? Math.max(low, own) + 2 * reach;
  const steps = Math.max(most - 1, 2);
  const step = (high - low) / steps;
  // Two digits of the step are kept: enough to distinguish neighbours, and short.
  const digits =
    typeOf(input).whole ? 0 : Math.min(Math.max(1 - Math.floor(Math.log10(step)), 0), 20);
  const numbers = Array.from({ length: steps + 1 }, (_, index) =>
    Number((low + step * index).toFixed(digits)),
  );
  return [...new Set(numbers)].map(String);
}

/** Return the rows to send: the row itself first, then for each plan a row for each value. */
function rowsOf(row, plans) {
  const changed = plans.flatMap(({ input, values }) =>
    values.map((value) => new Map(row).set(input.name, value)),
  );
  return [row, ...changed];
}

/** Return what to try in every field; the last value is always "", a missing one. */
function plansOf(inputs, row) {
  const most = Math.max(3, Math.min(MOST_VALUES, Math.floor(MOST_CELLS / inputs.length ** 2)));
  return inputs.map((input) => {
    const { shape, values } = candidates(input, row.get(input.name), most);
    return { input, shape, values: [...values, ""], current: row.get(input.name) };
  });
}

/** Return the range in which scores are drawn: of probabilities the whole, of numbers what occurs. */
function rangeOf({ classes }, scores) {
  if (classes.length) return { low: 0, high: 1 };
  const known = scores.filter((score) => score !== null);
  const low = known.reduce((least, score) => Math.min(least, score), known[0] ?? 0);
  const high = known.reduce((most, score) => Math.max(most, score), known[0] ?? 0);
  return low < high ? { low, high } : { low: low - 1, high: low + 1 };
}

/** Return where in the range a score is, from 0 to 1. */
const placeOf = (score, { low, high }) => (score - low) / (high - low);

/** Join plans with the scores of their rows; the field with the largest effect comes first. */
function effectsOf(plans, scores, description) {
  const base = scores[0];
  const range = rangeOf(description, scores);
  const text = textOfScores(description);
  let next = 1;
  const effects = plans.map((plan) => {
    const points = plan.values.map((text) => ({ text, score: scores[next++] }));
    const known = [base, ...points.map(({ score }) => score)].filter((score) => score !== null);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    return { ...plan, base, points, low, high, range, text };
  });
  return effects.sort((a, b) => b.high - b.low - (a.high - a.low));
}

/** Show the fields by effect, and the chosen one's chart. `use` puts a value into the form. */
function showEffects(effects, chosen, { choose, use, threshold }) {
  const shown = effects.find(({ input }) => input.name === chosen) ?? effects[0];
  const list = h(
    "ol",
    { className: "effects", "aria-label": "Fields by effect on the score" },
    ...effects.map((effect) => h("li", {}, effectButton(effect, effect === shown, choose))),
  );
  const chart = h("div", { className: "detail" });
  const focused = document.activeElement?.dataset?.field;
  byId("change").replaceChildren(h("div", { className: "sweep" }, list, chart));
  // Keyboard users keep their place in the list.
  if (focused !== undefined)
    [...list.querySelectorAll("button")].find((b) => b.dataset.field === focused)?.focus();
  drawChart(chart, shown, { use, threshold });
}

const differenceText = (difference, { low, high }) =>
  low === 0 && high === 1 ? difference.toFixed(2) : numberText(difference);

function effectButton(effect, pressed, choose) {
  const {
    input: { name },
    low,
    high,
    base,
    text,
  } = effect;
  const place = (score) => 100 * placeOf(score, effect.range);
  const range = h("span", { className: "range" });
  range.style.left = `${place(low)}%`;
  range.style.width = `${place(high) - place(low)}%`;
  const here = h("span", { className: "here" });
  here.style.left = `${place(base)}%`;
  const button = h(
    "button",
    {
      type: "button",
      title: name,
      onclick: () => choose(name),
      "aria-pressed": String(pressed),
      "aria-label": `${name}: the score can be from ${text(low)} to ${text(high)}`,
    },
    h("span", { className: "class", textContent: name }),
    h("span", { className: "track" }, range, here),
    h("span", { className: "number", textContent: differenceText(high - low, effect.range) }),
  );
  button.dataset.field = name;
  return button;
}
