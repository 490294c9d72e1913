// How the run ended, why, and what to do next.

function verdictCard(card) {
  const facts = card.facts.map(([title, value, kind]) => [title, { number: metricText, count: countText, seconds: secondsText }[kind](value)]);
  const parts = card.error ? ["what", "where", "expected", "remedy"].filter((part) => card.error[part]) : [];
  const titles = { what: "what", where: "where", expected: "expected", remedy: "to do" };
  return [
    h(
      "div", { className: `panel verdict ${card.tone}` },
      h("h3", { textContent: card.headline }),
      card.sentences.length ? h("div", { className: "sentences" }, ...card.sentences.map((text) => para(text))) : null,
      card.reasons.length ? h("ul", {}, ...card.reasons.map((text) => h("li", { className: "reason", textContent: text }))) : null,
      parts.length ? h("dl", { className: "error" }, ...parts.flatMap((part) => [h("dt", { textContent: titles[part] }), h("dd", { textContent: card.error[part] })])) : null,
      tiles(facts),
      h("div", { className: "steps" }, ...card.next.map((step) => h("div", { className: "step" }, para(step.text, "note"), copyable(step.command, step.text.replace(":", ""))))),
    ),
  ];
}
