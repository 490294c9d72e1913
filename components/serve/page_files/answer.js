// The answer for one row, from any of our signatures.

/** Return the signature to use: `predict` has the most outputs, every model has `raw_columns`. */
const signatureOf = (description) =>
  description.signatures.some(({ name }) => name === "predict") ? "predict" : "raw_columns";

/** Return how scores are written: probabilities with three digits, other numbers as they are. */
const textOfScores = ({ classes }) => (classes.length ? scoreText : predictionText);

const predictionText = (value) =>
  typeof value === "number" ? value.toLocaleString("en", { maximumSignificantDigits: 6 }) : "–";

/** Return score, class, probabilities, logit and warnings of the first row. */
function readAnswer({ outputs }, description) {
  const score = scoresOf(outputs)[0];
  const named = outputs.class?.[0];
  const side = description.threshold === null ? null : Number(score >= description.threshold);
  return {
    score,
    className: named === undefined ? (description.classes[side] ?? null) : textOf(named),
    probabilities: outputs.probabilities?.[0] ?? (description.classes.length ? [1 - score, score] : []),
    logit: outputs.logits?.[0] ?? null,
    warnings: textOf(outputs.warnings?.[0] ?? "")
      .split("; ")
      .filter(Boolean),
    strangers: Number(outputs.out_of_vocabulary?.[0] ?? 0),
  };
}

/** Return the score of every row. A signature with one output gives it without a name. */
const scoresOf = (outputs) =>
  Array.isArray(outputs) ? outputs : (outputs.prediction ?? outputs.score ?? outputs.scores);

function showAnswer(answer, description) {
  const { className, score, logit } = answer;
  const text = textOfScores(description)(score);
  const facts = description.classes.length ? [["Score", text]] : [];
  if (logit !== null) facts.push(["Logit", Number(logit).toFixed(3)]);
  if (description.threshold !== null) facts.push(["Threshold", numberText(description.threshold)]);
  const verdict = h(
    "p",
    { className: "verdict" },
    h("strong", { id: "class", textContent: className ?? text }),
    h("span", { className: "hint", textContent: description.label || "score" }),
  );
  byId("answer").replaceChildren(
    h(
      "div",
      { className: "top" },
      verdict,
      h(
        "dl",
        { className: "facts" },
        ...facts.map(([name, value]) =>
          h("div", {}, h("dt", { textContent: name }), h("dd", { textContent: value })),
        ),
      ),
    ),
    ...(answer.probabilities.length ? [probabilityBars(answer, description)] : []),
    ...warningsOf(answer),
  );
}

function probabilityBars({ probabilities, className }, { classes }) {
  const bars = probabilities.map((probability, index) => {
    const name = classes[index] ?? String(index);
    const fill = h("span", { className: "fill" });
    fill.style.width = `${100 * (probability ?? 0)}%`;
    return h(
      "li",
      { className: name === className ? "chosen" : "" },
      h("span", { className: "class", textContent: name }),
      h("span", { className: "track", "aria-hidden": "true" }, fill),
      h("span", { className: "number", textContent: scoreText(probability) }),
    );
  });
  return h("ul", { className: "bars", "aria-label": "Probabilities" }, ...bars);
}

function warningsOf({ warnings, strangers }) {
  const texts = [...warnings];
  if (strangers > 0 && !texts.some((text) => text.includes("vocabulary"))) {
    texts.push(`values out of vocabulary: ${strangers}`);
  }
  if (texts.length === 0) return [];
  return [
    h(
      "ul",
      { className: "warnings", "aria-label": "Warnings" },
      ...texts.map((text) => h("li", { textContent: text })),
    ),
  ];
}
