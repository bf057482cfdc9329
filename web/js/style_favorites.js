// The user's favourite styles, kept with ComfyUI's settings, so that every browser knows them.

import { app } from "../../../scripts/app.js";

const ID = "Brushwork.FavoriteStyles";
const watchers = new Set();

app.registerExtension({
  name: "brushwork.style_favorites",
  settings: [{ id: ID, name: "Favorite styles", type: "hidden", defaultValue: [] }],
});

export function favorites() {
  const stored = app.extensionManager.setting.get(ID);
  return new Set(Array.isArray(stored) ? stored : []);
}

export async function toggleFavorite(name) {
  const names = favorites();
  if (!names.delete(name)) names.add(name);
  await app.extensionManager.setting.set(ID, [...names]);
  for (const changed of watchers) changed();
}

// Calls `changed` after every change, until what this returns is called.
export function watchFavorites(changed) {
  watchers.add(changed);
  return () => watchers.delete(changed);
}
