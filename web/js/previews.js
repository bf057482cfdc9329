// A node that returns a picture of its result shows that alone. Pages with Nodes 2.0 would leave the last preview
// above it.

import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";

const WITH_RESULT = ["TrainStyle", "EvaluateStyle"];

// In a subgraph a node's id has a colon: the subgraph's node, then the node in it.
const nodeAt = id =>
  String(id).split(":").reduce((at, part) => (at?.subgraph ?? at)?.getNodeById?.(Number(part)), app.graph);

// Pages offer extensions no way of their own to the previews.
const previews = () =>
  document.querySelector("#vue-app")?.__vue_app__?.config.globalProperties.$pinia?._s.get("nodeOutput");

app.registerExtension({
  name: "brushwork.previews",
  setup() {
    api.addEventListener("executed", ({ detail: { node, display_node: shown = node, output } }) => {
      if (output?.images && WITH_RESULT.includes(nodeAt(shown)?.comfyClass))
        previews()?.revokePreviewsByExecutionId?.(String(shown));
    });
  },
});
