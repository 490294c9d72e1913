// Puts the cards together, in their order.

const RENDERERS = { verdict: verdictCard, changes: changesCard, stages: stagesCard, data: dataCard, columns: columnsCard, training: trainingCard, metrics: metricsCard, slices: slicesCard, why: whyCard, proof: proofCard, reproduce: reproduceCard };

function sectionOf(card) {
  const head = `${card.id}-head`;
  const body = card.missing ? [panel(para(card.missing, "empty"))] : RENDERERS[card.id](card);
  return h("section", { id: card.id, "aria-labelledby": head }, h("h2", { id: head, textContent: card.title }), ...body);
}

byId("title").textContent = content.pipeline;
byId("subtitle").textContent = `Run ${content.run}, started ${content.started.replace("T", " ").replace("+00:00", " UTC")}`;
byId("cards").append(...content.cards.map(sectionOf));
byId("sections").append(...content.cards.map((card) => h("li", {}, h("a", { href: `#${card.id}`, textContent: card.title }))));
