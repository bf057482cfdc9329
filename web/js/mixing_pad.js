// A field on Mix Styles: a drag mixes the connected styles, four at most, by setting their weights, which hold the mix.

import { app } from "../../../scripts/app.js";
import { aboutStyle, inChinese } from "./style_catalogue.js";
import { addElement, addStyleSheet, chain, follow, keepPointersInside, made } from "./widgets.js";

const HEIGHT = 132;
const MOST = 4;
const STEP = 0.05;
// Where the styles are, by how many there are: across and down, from 0 to 1.
const CORNERS = {
  2: [[0, 0.5], [1, 0.5]],
  3: [[0, 0], [1, 0], [0.5, 1]],
  4: [[0, 0], [1, 0], [0, 1], [1, 1]],
};
const ENGLISH = {
  connect: "Connect two to four styles to mix them here.",
  overruled: "With two styles and “1st: shapes”, weights do nothing.",
};
const CHINESE = {
  connect: "连接两到四种风格，即可在这里混合。",
  overruled: "选“首个定形状”且只有两种风格时，权重不起作用。",
};
const texts = () => (inChinese() ? CHINESE : ENGLISH);

app.registerExtension({
  name: "brushwork.mixing_pad",
  init() {
    addStyleSheet("mixing_pad");
  },
  nodeCreated(node) {
    if (node.comfyClass !== "MixStyles") return;
    const pad = new MixingPad(node);
    addElement(node, "mixing_pad", pad.element, HEIGHT);
    for (const widget of [...pad.weights(), pad.split()]) follow(widget, () => pad.update());
    chain(node, "onConnectionsChange", () => pad.update());
    chain(node, "onConfigure", () => pad.update());
  },
});

// How much of each style a point means.
function sharesAt(x, y, count) {
  if (count === 2) return [1 - x, x];
  if (count === 3) return [(1 - x) * (1 - y), x * (1 - y), y];
  return [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y];
}

// The point that means these weights, or with four the one that comes nearest.
function pointOf(weights) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (!total) return [0.5, 0.5];
  const [a, b, c = 0, d = 0] = weights.map(weight => weight / total);
  if (weights.length === 2) return [b, 0.5];
  if (weights.length === 3) return [a + b ? b / (a + b) : 0.5, c];
  return [b + d, c + d];
}

const within = number => Math.min(1, Math.max(0, number));

class MixingPad {
  constructor(node) {
    this.node = node;
    this.dot = made("div", "dot");
    this.names = Array.from({ length: MOST }, () => made("div", "corner"));
    this.notice = made("div", "pad-notice");
    this.field = made("div", "field", { tabIndex: 0 });
    this.field.setAttribute("aria-label", "mix");
    this.field.append(...this.names, this.dot, this.notice);
    this.element = made("div", "pad");
    this.element.append(this.field);
    keepPointersInside(this.element);
    this.listen();
    this.update();
  }

  listen() {
    this.field.addEventListener("pointerdown", event => {
      if (event.button !== 0 || !this.corners) return;
      app.canvas.emitBeforeChange();
      this.dragging = true;
      this.drag(event);
      this.field.setPointerCapture(event.pointerId);
    });
    this.field.addEventListener("pointermove", event => {
      if (!this.dragging) return;
      if (event.buttons & 1) this.drag(event);
      else this.end(); // it ended where the field did not see it
    });
    this.field.addEventListener("pointerup", event => {
      if (this.dragging) this.drag(event); // a quick one may have had no move
      this.end();
    });
    for (const type of ["pointercancel", "lostpointercapture"])
      this.field.addEventListener(type, () => this.end());
    this.field.addEventListener("pointerenter", () => this.update()); // other styles may be chosen by now
    this.field.addEventListener("keydown", event => this.key(event));
  }

  // The weights of the connected styles, or of all.
  weights(connected = false) {
    const used = name => this.node.inputs?.some(input => input.name === name && input.link != null);
    return this.node.widgets.filter(
      ({ name }) => name.startsWith("weight_") && (!connected || used(name.replace("weight", "style"))),
    );
  }

  split() {
    return this.node.widgets.find(({ name }) => name === "split");
  }

  // The weights that count. With split on, the first style gives all shapes and the others are blended for the
  // colours; a single style needs no weight.
  mixed() {
    const connected = this.weights(true);
    return this.split().value && connected.length > 1 ? connected.slice(1) : connected;
  }

  drag({ clientX, clientY }) {
    const { left, top, width, height } = this.field.getBoundingClientRect();
    this.mix(within((clientX - left) / width), within((clientY - top) / height));
  }

  end() {
    if (this.dragging) app.canvas.emitAfterChange();
    this.dragging = false;
  }

  key(event) {
    const way = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (!way || !this.corners) return;
    event.preventDefault();
    event.stopPropagation();
    const [x, y] = pointOf(this.mixed().map(weight => weight.value));
    app.canvas.emitBeforeChange();
    this.mix(within(x + way[0]), within(y + way[1]));
    app.canvas.emitAfterChange();
  }

  mix(x, y) {
    const weights = this.mixed();
    const shares = sharesAt(x, y, weights.length);
    weights.forEach((weight, i) =>
      weight.setValue(Math.round(shares[i] * 100) / 100, { e: undefined, node: this.node, canvas: app.canvas }),
    );
    this.node.setDirtyCanvas(true, true);
  }

  // Show what the weights say, or that they do nothing.
  update() {
    const connected = this.node.widgets ? this.weights(true) : [];
    const mixed = this.node.widgets ? this.mixed() : [];
    const overruled = connected.length === 2 && mixed.length === 1;
    this.element.classList.toggle("brushwork-overruled", overruled);
    this.element.dataset.notice = overruled ? texts().overruled : "";
    this.field.tabIndex = overruled ? -1 : 0;
    this.corners = CORNERS[mixed.length]; // none where a drag sets nothing
    this.draw(overruled ? connected : mixed);
  }

  draw(weights) {
    const corners = CORNERS[weights.length];
    this.notice.hidden = Boolean(corners);
    this.notice.textContent = texts().connect;
    this.dot.hidden = !corners;
    this.names.forEach((name, i) => {
      name.hidden = i >= (corners?.length ?? 0);
      name.textContent = name.hidden ? "" : this.nameOf(weights[i].name.replace("weight", "style"));
      if (name.hidden) return;
      const [x, y] = corners[i];
      place(name, x, y);
      name.style.transform = `translate(${-100 * x}%, ${-100 * y}%)`;
    });
    if (corners) place(this.dot, ...pointOf(weights.map(({ value }) => value)));
  }

  // "1 Hokusai" where a style of a node with a picker is connected, else its number.
  nameOf(input) {
    const source = this.node.getInputNode?.(this.node.inputs.findIndex(({ name }) => name === input));
    const combo = source?.widgets?.find(({ name }) => name === "style_name");
    return `${input.replace("style_", "")} ${combo ? aboutStyle(combo.value).caption : ""}`.trim();
  }
}

function place(element, x, y) {
  element.style.left = `${100 * x}%`;
  element.style.top = `${100 * y}%`;
}
