// What the pack's widgets have in common.

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
}

// App mode of frontend 1.35 takes elements out of nodes of Nodes 2.0 and leaves their places empty. The pack's
// element is the last one of its node.
function bringBack(node, element) {
  if (element.isConnected || !node.graph || !LiteGraph.vueNodesMode) return;
  const place = document.querySelector(`[data-node-id="${node.id}"] .lg-node-widget:last-child > :last-child`);
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
