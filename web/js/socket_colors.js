// Colours of Brushwork's sockets and wires on the canvas. Nodes 2.0 has the same from css/style_picker.css.

import { app } from "../../../scripts/app.js";

const COLORS = {
  BRUSHWORK_STYLE: "#e0608f",
  BRUSHWORK_CONTENT: "#45b3a2",
  BRUSHWORK_GAN: "#c8a15a",
};

app.registerExtension({
  name: "brushwork.socket_colors",
  setup() {
    for (const colors of [app.canvas.default_connection_color_byType, app.canvas.constructor.link_type_colors])
      for (const [type, color] of Object.entries(COLORS)) keepColor(colors, type, color);
  },
});

// Whenever a palette is chosen, pages clear the colours that it does not name.
function keepColor(colors, type, color) {
  let chosen = "";
  Object.defineProperty(colors, type, {
    configurable: true,
    enumerable: true,
    get: () => chosen || color,
    set: given => (chosen = given),
  });
}
