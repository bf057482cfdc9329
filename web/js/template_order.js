// Brushwork's workflows stand in the template browser in the order in which one learns. Servers list them as the
// disk happens to.

import { api } from "../../../scripts/api.js";

const ORDER = [
  "paint_photo",
  "paint_in_library_style",
  "mix_library_styles",
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
// Of the address /extensions/FOLDER/js/template_order.js.
const pack = decodeURIComponent(new URL(import.meta.url).pathname.split("/").at(-3));
const place = name => (ORDER.indexOf(name) + ORDER.length + 1) % (ORDER.length + 1); // others come last

const listed = api.getWorkflowTemplates;
api.getWorkflowTemplates = async function (...rest) {
  const templates = await listed.apply(this, rest);
  templates?.[pack]?.sort((a, b) => place(a) - place(b));
  return templates;
};
