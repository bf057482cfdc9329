// Brushwork's workflows in the template browser: titles and descriptions, in the order in which one learns. Servers
// list names alone, as the disk happens to. Workflows that need a node of a newer core are left out where it is not.

import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";

const ORDER = [
  "paint_photo",
  "paint_in_library_style",
  "mix_library_styles",
  "compare_before_after",
  "structure_and_color",
  "styles_by_region",
  "random_styles_grid",
  "refine_painting",
  "style_animation",
  "paint_film",
  "steady_video",
  "train_and_paint",
  "evaluate_checkpoint",
  "batch_for_queue",
];
const NEEDS = { compare_before_after: "ImageCompare" }; // in ComfyUI 0.9 and later

// Of the address /extensions/FOLDER/js/templates.js.
const pack = decodeURIComponent(new URL(import.meta.url).pathname.split("/").at(-3));
const place = name => (ORDER.indexOf(name) + ORDER.length + 1) % (ORDER.length + 1); // others come last
const runs = name => !NEEDS[name] || LiteGraph.registered_node_types[NEEDS[name]];

// A template as pages know those that come with ComfyUI. The title is that of the workflow's note.
function described(name, { notes = {}, descriptions = {} } = {}) {
  const title = notes[name]?.split("\n")[0].replace(/^#+ /, "") || name;
  return { name, title, description: descriptions[name] ?? "", mediaType: "image", mediaSubtype: "jpg" };
}

const { getWorkflowTemplates, getCoreWorkflowTemplates } = api;

// Of packs, pages show names alone. So Brushwork's templates join the list of those with texts, under this pack's
// name, by which pages find their files.
api.getWorkflowTemplates = async function (...rest) {
  const { [pack]: own, ...others } = (await getWorkflowTemplates.apply(this, rest)) ?? {};
  return others;
};
api.getCoreWorkflowTemplates = async function (...rest) {
  const [shipped, listed, languages] = await Promise.all([
    getCoreWorkflowTemplates.apply(this, rest),
    getWorkflowTemplates.call(this),
    api.fetchApi("/i18n").then(answer => answer.json()).catch(() => ({})), // names do without
  ]);
  if (shipped.some(({ moduleName }) => moduleName === pack)) return shipped; // pages call it within itself
  const names = (listed?.[pack] ?? []).filter(runs).sort((a, b) => place(a) - place(b));
  const texts = (languages[app.extensionManager.setting.get("Comfy.Locale")] ?? languages.en)?.brushwork;
  const templates = names.map(name => described(name, texts ?? languages.en?.brushwork));
  return templates.length ? [...shipped, { moduleName: pack, title: pack, type: "image", templates }] : shipped;
};
