// Creates elements. Text is inserted as text, so that no name or value from data can become markup.

const byId = (id) => document.getElementById(id);

/** Create an element; its properties are set as such, all else as attributes. */
function h(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) node[name] = value;
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
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
