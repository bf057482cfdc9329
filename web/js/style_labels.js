// Lets a combo of styles say "Van Gogh, The Starry Night, 1889"; its values, and so the files, stay as they are.

import { styleLabel } from "./style_catalogue.js";

export function showLabels(combo) {
  // Nodes 2.0, the side panel and App mode; optionLabel is for the pages around 1.35.
  combo.options.getOptionLabel = styleLabel;
  combo.options.optionLabel = styleLabel;
  // The canvas: what stands in the combo, and its menu, which keeps the field that filters it.
  if ("_displayValue" in combo) {
    Object.defineProperty(combo, "_displayValue", {
      configurable: true,
      get() {
        return this.computedDisabled ? "" : styleLabel(this.value);
      },
    });
  }
  const { onClick } = combo;
  if (!onClick || !combo.setValue) return;
  combo.onClick = function (event) {
    const { e, node, canvas } = event;
    const x = e.canvasX - node.pos[0];
    const width = this.width || node.size[0];
    const onArrow = x < 40 || x > width - 40;
    if (onArrow || !Array.isArray(this.options.values)) return onClick.call(this, event);
    new LiteGraph.ContextMenu(this.options.values.map(value => ({ content: styleLabel(value), value })), {
      scale: Math.max(1, canvas.ds.scale),
      event: e,
      className: "dark",
      callback: chosen => this.setValue(chosen.value, event),
    });
  };
}
