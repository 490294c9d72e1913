// What each field adds to the answer for the row, as the server explains it.

const MOST_ADDED = 20; // fields that are shown, those that add most

/** Show an explanation of the row. Of several classes, that of the likeliest one. */
function showExplanation({ explanations: [explanation] }, row) {
  const { base, value, classes, contributions, output, background, exact } = explanation;
  const one = value.indexOf(Math.max(...value));
  const most = Math.max(...contributions.map(({ adds }) => Math.abs(adds[one])), 1e-12);
  const shown = contributions.slice(0, MOST_ADDED);
  const items = shown.map(({ column, adds, error }) =>
    addedBar(`${column} = ${labelOf(row.get(column) ?? "")}`, adds[one], error[one], most),
  );
  const others = contributions.slice(MOST_ADDED).reduce((sum, { adds }) => sum + adds[one], 0);
  if (contributions.length > MOST_ADDED) items.push(addedBar("other fields", others, 0, most));
  const what = classes.length ? `${output} of ${classes[one]}` : output;
  const sampled = exact ? "" : " (± one standard error of sampling)";
  byId("why").replaceChildren(
    h("p", {
      className: "hint",
      textContent:
        `The mean ${what} of ${background} training rows is ${addedText(base[one])}. ` +
        `What the fields add to it${sampled} makes ${addedText(value[one])}.`,
    }),
    h("ul", { className: "bars added", "aria-label": "What each field adds" }, ...items),
  );
}

const addedText = (number) => number.toLocaleString("en", { maximumFractionDigits: 3 });

function addedBar(name, adds, error, most) {
  const share = (50 * Math.abs(adds)) / most;
  const fill = h("span", { className: adds < 0 ? "fill less" : "fill" });
  fill.style.left = `${adds < 0 ? 50 - share : 50}%`;
  fill.style.width = `${share}%`;
  const sign = adds < 0 ? "-" : "+";
  return h(
    "li",
    { title: error ? `± ${addedText(error)}` : "" },
    h("span", { className: "class", textContent: name }),
    h("span", { className: "track", "aria-hidden": "true" }, fill),
    h("span", { className: "number", textContent: sign + addedText(Math.abs(adds)) }),
  );
}
