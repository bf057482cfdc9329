// What is known about the styles, by the names that combos list: titles, artists, years and pictures.

import { api } from "../../../scripts/api.js";
import { app } from "../../../scripts/app.js";

const LIBRARY = "library/";
// The library's pictures are static files, which scripts/style_thumbnails.py makes.
const PICTURES = new URL("../styles/", import.meta.url);

let library = new Map(); // not an object, which knows names such as "constructor", too
let own = new Map();

export const inChinese = () => String(app.extensionManager?.setting.get("Comfy.Locale")).startsWith("zh");

export async function loadStyles() {
  const answers = [fetch(new URL("library.json", PICTURES)), api.fetchApi("/brushwork/styles")];
  const [shipped, users] = await Promise.all(answers.map(answered));
  if (shipped) library = new Map(Object.entries(shipped));
  own = new Map((users ?? []).map(style => [style.name, style]));
}

// The JSON of an answer. Without it styles are shown by their names alone.
async function answered(request) {
  try {
    const answer = await request;
    return answer.ok ? await answer.json() : null;
  } catch (error) {
    console.warn("Brushwork: the list of styles did not come.", error);
    return null;
  }
}

// { title, artist, year, caption, work, picture }, texts that may be empty; the caption is short, the work stands
// below it, and the picture is an address.
export function aboutStyle(name) {
  const text = String(name ?? "");
  const id = text.startsWith(LIBRARY) ? text.slice(LIBRARY.length) : "";
  const shipped = library.get(id);
  if (shipped) {
    const { title, artist, year, short, zh } = shipped;
    const picture = new URL(`${id}.webp`, PICTURES).href;
    return inChinese()
      ? { title: `《${zh.title}》`, artist: zh.artist, year: inChineseYears(year), caption: zh.artist, work: zh.title, picture }
      : { title, artist, year, caption: short, work: title, picture };
  }
  const style = own.get(text);
  const title = style?.title || text.split("/").at(-1).replace(/\.safetensors$/, "");
  const query = new URLSearchParams({ name: text, version: style?.picture ?? "" });
  const picture = style?.picture ? api.apiURL(`/brushwork/style_picture?${query}`) : "";
  return { title, artist: style?.artist ?? "", year: style?.year ?? "", caption: title, work: "", picture };
}

// One line, as combos show it. Older pages put it into the page as HTML, and anybody may have written a style file.
export function styleLabel(name) {
  const { title, artist, year } = aboutStyle(name);
  const short = library.get(String(name).slice(LIBRARY.length))?.short;
  const painter = (!inChinese() && short) || artist;
  return [painter, title, year].filter(Boolean).join(inChinese() ? "，" : ", ").replace(/[<>]/g, "");
}

// All that a search may look for, without accents.
export function searchText(name) {
  const { zh, ...texts } = library.get(String(name).slice(LIBRARY.length)) ?? aboutStyle(name);
  return plain([name, texts.title, texts.artist, texts.year, zh?.title, zh?.artist].join(" "));
}

export const plain = text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

const inChineseYears = year => year.replace(/^about (.*)/, "约 $1").replace(/^before (.*)/, "$1 年以前");
