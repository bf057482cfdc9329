// What the pack's widgets have in common.

import { app } from "../../../scripts/app.js";

export function addStyleSheet(name) {
  const address = new URL(`../css/${name}.css`, import.meta.url).href;
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: address }));
}

export function made(tag, className, properties = {}) {
  return Object.assign(document.createElement(tag), { className: `brushwork-${className}`, ...properties });
}

// Adds `element` to the node, `height` pixels high in every kind of page. The file and the prompt do not see it.
export function addElement(node, name, element, height) {
  const margin = 8;
  const all = () => height + 2 * margin;
  const options = { serialize: false, hideOnZoom: false, margin, getMinHeight: all, getMaxHeight: all };
  element.style.height = `${height}px`;
  node.addDOMWidget(name, `brushwork_${name}`, element, options).serialize = false;
  // It gets a size and loses it whenever a page puts it somewhere or takes it away.
  new ResizeObserver(() => bringBack(node, element)).observe(element);
  chain(node, "onAdded", () => requestAnimationFrame(() => bringBack(node, element)));
}

// Pages with Nodes 2.0 put an element into a node once. App mode of frontend 1.35 takes it out and leaves its place
// empty. Undoing makes all nodes anew, and pages go on showing the elements of the nodes that are gone. The pack's
// element is the last one of its node.
function bringBack(node, element) {
  const isThere = node.graph === app.canvas?.graph && node.graph?.getNodeById(node.id) === node;
  if (element.isConnected || !isThere || !LiteGraph.vueNodesMode) return;
  const shown = document.querySelector(`[data-node-id="${node.id}"]`);
  const old = shown?.querySelector(`.${element.classList[0]}`);
  if (old) return old.replaceWith(element);
  const place = shown?.querySelector(".lg-node-widget:last-child > :last-child");
  if (place?.childElementCount === 0) place.append(element);
}

// Calls `changed` whenever the widget gets a value: by a person, from a file, by undoing.
export function follow(widget, changed) {
  let owner = widget;
  while (!Object.hasOwn(owner, "value")) owner = Object.getPrototypeOf(owner);
  let { value, get = () => value, set = given => (value = given) } = Object.getOwnPropertyDescriptor(owner, "value");
  Object.defineProperty(widget, "value", {
    configurable: true,
    enumerable: true,
    get() {
      return get.call(this);
    },
    set(given) {
      set.call(this, given);
      changed();
    },
  });
}

// Calls `then` after the node's method of that name.
export function chain(node, name, then) {
  const before = node[name];
  node[name] = function (...values) {
    const answer = before?.apply(this, values);
    then();
    return answer;
  };
}

// The node must not be dragged by what happens in the element. The middle button is the canvas's.
export function keepPointersInside(element) {
  for (const type of ["pointerdown", "pointermove", "pointerup", "dblclick"])
    element.addEventListener(type, event => {
      if (event.button !== 1 && !(event.buttons & 4)) event.stopPropagation();
    });
}
