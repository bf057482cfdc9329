// Texts that pages do not translate themselves: choices of combos, labels of switches, and what the workflows say.
// They are in locales/LANGUAGE/main.json under `brushwork`.

import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";

let english, translated; // the same while the page is English, and in languages that have no texts

// From the English texts of a kind, such as "titles", to the translated ones.
const dictionary = kind =>
  new Map(Object.entries(english[kind] ?? {}).map(([key, text]) => [text, translated[kind]?.[key] ?? text]));

function translateWidget(widget, choices, labels) {
  const labelled = choice => (Object.hasOwn(choices, choice) ? choices[choice] : String(choice ?? ""));
  if (choices) widget.options.getOptionLabel = labelled;
  if (labels) Object.assign(widget.options, labels);
}

app.registerExtension({
  name: "brushwork.texts",
  async init() {
    const language = app.extensionManager.setting.get("Comfy.Locale");
    const languages = await (await api.fetchApi("/i18n")).json();
    english = languages.en?.brushwork;
    translated = english && (languages[language]?.brushwork ?? english);
  },
  nodeCreated(node) {
    for (const widget of (translated && node.widgets) || []) {
      const of = kind => translated[kind]?.[node.comfyClass]?.[widget.name];
      translateWidget(widget, of("choices"), of("switches"));
    }
  },
  // Brushwork's workflows have a note that is known; what a person wrote or changed stays as it is.
  beforeConfigureGraph(graph) {
    if (translated === english) return;
    const [groups, titles, labels, notes] = ["groups", "titles", "labels", "notes"].map(dictionary);
    if (!graph.nodes?.some(node => notes.has(node.widgets_values?.[0]))) return;
    for (const group of graph.groups ?? []) group.title = groups.get(group.title) ?? group.title;
    for (const node of graph.nodes) {
      node.title = titles.get(node.title) ?? node.title;
      for (const slot of node.inputs ?? []) if (slot.label) slot.label = labels.get(slot.label) ?? slot.label;
      if (notes.has(node.widgets_values?.[0])) node.widgets_values[0] = notes.get(node.widgets_values[0]);
    }
  },
});
