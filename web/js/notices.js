// Shows what Brushwork's nodes have to say when they have ended; the text under a node goes with the run.

import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";

app.registerExtension({
  name: "brushwork.notices",
  setup() {
    api.addEventListener("brushwork.notice", ({ detail }) =>
      app.extensionManager.toast.add({ severity: "info", summary: "Brushwork", detail: detail.text, life: 30000 }),
    );
  },
});
