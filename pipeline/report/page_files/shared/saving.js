// Saves a chart as a picture, and its data as a table.

/** Hand content to the browser as a file. */
function download(name, blob) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Return a name that every system can have as a file's. */
const fileName = (title) => title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 80) || "chart";

/** Quote a value for CSV where it needs to be. */
function csvCell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Return rows as CSV; the columns are the keys of all of them. */
function csvOf(rows) {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return [keys, ...rows.map((row) => keys.map((key) => row[key]))].map((cells) => cells.map(csvCell).join(",")).join("\r\n") + "\r\n";
}

/** Save the data of a chart. */
const saveTable = (element, title) =>
  download(`${fileName(title)}.csv`, new Blob([csvOf(drawn.get(element).data.table)], { type: "text/csv" }));

/** Save a chart as it looks, on the colour of its card. */
async function savePicture(element, title) {
  if (drawn.get(element).view === null) draw([element]);
  const picture = await drawn.get(element).view.toCanvas(2);
  const canvas = h("canvas", { width: picture.width, height: picture.height });
  const context = canvas.getContext("2d");
  context.fillStyle = theme.card;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(picture, 0, 0);
  canvas.toBlob((blob) => download(`${fileName(title)}.png`, blob), "image/png");
}

/** Return the buttons that save a chart. */
function saving(element, title) {
  const button = (kind, save) => h("button", { type: "button", className: "save", textContent: kind, "aria-label": `Save as ${kind}: ${title}`, onclick: () => save(element, title) });
  return h("span", { className: "saving" }, button("PNG", savePicture), button("CSV", saveTable));
}
