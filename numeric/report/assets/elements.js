// Small helpers of the interface: elements of the page, names of entries.

export const byId = (id) => document.getElementById(id);

/** An element with attributes, and children that are elements or texts. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** The name of an entry of an array, with its position along every axis. */
export function entryName(field, at) {
  if (field.shape.length === 0) return field.name;
  const position = [];
  let rest = at;
  for (const extent of [...field.shape].reverse()) {
    position.unshift(rest % extent);
    rest = Math.floor(rest / extent);
  }
  return `${field.name}[${position.join(", ")}]`;
}
