// Two classes: curves, and what a threshold costs.

function binaryOf(card) {
  const { curves } = card;
  const rel = reliabilityOf(card, 0);
  if (!curves) return rel ? headed("Calibration", grid(rel)) : [];
  const one = curves.models.model[0];
  const roc = picture("ROC", "roc", 260, { table: modelRows(curves, 0, rocOf), mark: [] }, "ROC curve");
  const precision = picture("Precision and recall", "precision", 260, { table: modelRows(curves, 0, precisionOf), mark: [] }, "Precision and recall");
  return [
    ...headed("Curves", modelKey(curves), grid(roc, precision, rel, scoresOf(card, 0))),
    ...headed("Choose a threshold", chooser(card, one, [roc.chart, precision.chart])),
  ];
}

/** Sliders of costs and of the threshold, with the figures that follow. */
function chooser(card, one, charts) {
  const total = one.positives + one.negatives;
  const order = one.thresholds.map((_, i) => i).sort((a, b) => one.thresholds[a] - one.thresholds[b]);
  const slider = (id, label, max, value, text) => {
    const input = h("input", { type: "range", id, min: 0, max, step: 1, value });
    const output = h("output", { htmlFor: id });
    const show = () => { output.textContent = input.ariaValueText = text(Number(input.value)); };
    input.addEventListener("input", () => { show(); changed(input); });
    show();
    return { input, show, element: h("label", { htmlFor: id }, h("span", {}, label, " ", output), input) };
  };
  const atThreshold = (i) => numberText(one.thresholds[order[i]]);
  const start = card.decision ?? 0.5;
  const nearest = order.reduce((best, k, i) => (Math.abs(one.thresholds[k] - start) < Math.abs(one.thresholds[order[best]] - start) ? i : best), 0);
  const times = (value) => countText(value);
  const wrong = slider("cost-false", "A false positive costs", 100, 1, times);
  const missed = slider("cost-missed", "A missed positive costs", 100, 1, times);
  const threshold = slider("threshold", "Threshold", order.length - 1, nearest, atThreshold);
  const costOf = (k) => (1000 * (Number(wrong.input.value) * one.false[k] + Number(missed.input.value) * (one.positives - one.true[k]))) / total;
  const cheapest = () => order.reduce((best, k, i) => (costOf(k) < costOf(order[best]) ? i : best), 0);
  const best = h("button", { type: "button", className: "plain", id: "cheapest", textContent: "Take the cheapest threshold", onclick: () => { threshold.input.value = cheapest(); threshold.show(); changed(); } });
  const shown = h("div", { role: "status" });
  const table = h("div");
  const line = picture("Cost of 1,000 rows by threshold", "costs", 200, { table: [], mark: [] }, "Cost by threshold");
  const figuresOf = (k) => {
    const hit = one.true[k], wrongly = one.false[k], flagged = hit + wrongly;
    const precision = flagged ? hit / flagged : null, recall = one.positives ? hit / one.positives : null;
    return { flagged: flagged / total, precision, recall, fall: one.negatives ? wrongly / one.negatives : null, f1: precision && recall ? (2 * precision * recall) / (precision + recall) : null, accuracy: (hit + one.negatives - wrongly) / total };
  };
  const rowOf = (k) => {
    const it = figuresOf(k);
    return [numberText(one.thresholds[k]), shareText(it.flagged), shareText(it.precision), shareText(it.recall), shareText(it.fall), it.f1 === null ? NONE : it.f1.toFixed(3), shareText(it.accuracy), numberText(costOf(k))];
  };
  function changed() {
    const chosen = order[Number(threshold.input.value)], cheap = order[cheapest()];
    const wanted = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95].map((value) => order.reduce((a, b) => (Math.abs(one.thresholds[b] - value) < Math.abs(one.thresholds[a] - value) ? b : a)));
    const rows = [...new Set([...wanted, chosen, cheap])].sort((a, b) => one.thresholds[a] - one.thresholds[b]);
    const heads = ["threshold", "flagged", "precision", "recall", "false positive rate", "F1", "accuracy", "cost of 1,000 rows"];
    const built = tableOf(null, heads.map((head) => [head, false]), rows.map(rowOf), "wide");
    [...built.querySelectorAll("tbody tr")].forEach((row, i) => row.classList.toggle("chosen", rows[i] === chosen));
    table.replaceChildren(scrolling("Thresholds", built));
    const it = figuresOf(chosen);
    const of = (share) => countText(Math.round(share));
    shown.replaceChildren(para(`From ${numberText(one.thresholds[chosen])} on, ${of(one.true[chosen])} of ${of(one.positives)} positives are found, with ${of(one.false[chosen])} false ones; 1,000 rows cost ${numberText(costOf(chosen))}. The cheapest threshold is ${numberText(one.thresholds[cheap])}, at ${numberText(costOf(cheap))}.`));
    update(line.chart, { table: order.map((k) => ({ threshold: one.thresholds[k], cost: costOf(k) })), mark: [{ threshold: one.thresholds[chosen], cost: costOf(chosen) }] });
    update(charts[0], { mark: [{ x: it.fall, y: it.recall }] });
    update(charts[1], { mark: it.precision === null ? [] : [{ x: it.recall, y: it.precision }] });
  }
  changed();
  return h("div", { className: "chooser" }, h("div", { className: "controls" }, wrong.element, missed.element, threshold.element), shown, best, grid(line), table);
}
