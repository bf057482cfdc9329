// Pictures of all styles below the combos of styles. A click sets the combo, which holds the choice.

import { app } from "../../../scripts/app.js";
import { aboutStyle, inChinese, loadStyles, plain, searchText, styleLabel } from "./style_catalogue.js";
import { favorites, toggleFavorite, watchFavorites } from "./style_favorites.js";
import { showLabels } from "./style_labels.js";
import { addElement, addStyleSheet, chain, follow, keepPointersInside, made } from "./widgets.js";

const COMBO = "style_name";
// The nodes that have the picker, with the inputs that count in the combo's place.
const NODES = { LoadStyle: [COMBO], PaintPhoto: [COMBO, "painting", "style"] };
const HEIGHT = 232;

const ENGLISH = {
  search: "Search styles",
  searchAmong: count => `Search ${count} ${count === 1 ? "style" : "styles"}`,
  onlyFavorites: "Show favourites only",
  add: "Add to favourites",
  remove: "Remove from favourites",
  noMatch: "No style matches.",
  noFavorites: "No favourites yet: click a star.",
  missing: "This style is not here.",
  overruled: {
    painting: "The connected painting is used instead.",
    style: "The connected style is used instead.",
    [COMBO]: "The connected name is used instead.",
  },
};
const CHINESE = {
  search: "搜索风格",
  searchAmong: count => `搜索 ${count} 种风格`,
  onlyFavorites: "只显示收藏",
  add: "加入收藏",
  remove: "取消收藏",
  noMatch: "没有匹配的风格。",
  noFavorites: "还没有收藏：点击星标。",
  missing: "这里没有该风格。",
  overruled: {
    painting: "以连接的画作为准，这里的选择不起作用。",
    style: "以连接的风格为准，这里的选择不起作用。",
    [COMBO]: "以连接的名称为准，这里的选择不起作用。",
  },
};
const texts = () => (inChinese() ? CHINESE : ENGLISH);

const pickers = new Set();

app.registerExtension({
  name: "brushwork.style_picker",
  async init() {
    addStyleSheet("style_picker");
    await loadStyles();
  },
  nodeCreated(node) {
    const combo = NODES[node.comfyClass] && node.widgets?.find(widget => widget.name === COMBO);
    if (combo) addPicker(node, combo);
  },
  async refreshComboInNodes() {
    await loadStyles();
    for (const picker of pickers) picker.fill();
  },
});

function addPicker(node, combo) {
  showLabels(combo);
  const picker = new StylePicker(node, combo);
  addElement(node, "style_pictures", picker.element, HEIGHT);
  follow(combo, () => picker.update());
  chain(node, "onConnectionsChange", () => picker.update());
  let unwatch = () => {};
  chain(node, "onAdded", () => {
    pickers.add(picker);
    unwatch = watchFavorites(() => picker.fill());
  });
  chain(node, "onRemoved", () => {
    pickers.delete(picker);
    unwatch();
  });
}

class StylePicker {
  constructor(node, combo) {
    this.node = node;
    this.combo = combo;
    this.onlyFavorites = false;
    this.build();
    this.keepEventsInside();
    this.fill();
  }

  build() {
    this.preview = made("img", "preview", { alt: "", draggable: false });
    this.title = made("div", "title");
    this.artist = made("div", "artist");
    this.year = made("div", "year");
    this.about = made("div", "about");
    this.about.append(this.title, this.artist, this.year);
    const chosen = made("div", "chosen");
    chosen.append(this.preview, this.about);

    this.search = made("input", "search", { type: "text", spellcheck: false });
    this.search.setAttribute("aria-label", texts().search);
    this.search.addEventListener("input", () => this.filter());
    this.search.addEventListener("keydown", event => this.searchKey(event));
    this.filterStar = made("button", "only-favorites", { type: "button", textContent: "★" });
    this.filterStar.title = texts().onlyFavorites;
    this.filterStar.addEventListener("click", () => {
      this.onlyFavorites = !this.onlyFavorites;
      this.filter();
    });
    const row = made("div", "row");
    row.append(this.search, this.filterStar);

    this.grid = made("div", "grid", { tabIndex: -1 });
    this.grid.setAttribute("data-capture-wheel", "true");
    this.nothing = made("div", "nothing");
    this.element = made("div", "picker");
    this.element.append(chosen, row, this.grid);
    // Pictures come when they are seen.
    this.seen = new IntersectionObserver(entries => {
      for (const { isIntersecting, target } of entries) if (isIntersecting) this.load(target);
    }, { root: this.grid });
    // Pages put the element into a node, and take it elsewhere with another kind of nodes; then it begins at the top.
    new ResizeObserver(() => this.scrollToCurrent()).observe(this.grid);
  }

  // The canvas must not move, zoom or take keys while one works in here.
  keepEventsInside() {
    keepPointersInside(this.element);
    this.grid.addEventListener("wheel", event => {
      if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
    });
    // Newer pages leave the wheel to what has the focus.
    this.grid.addEventListener("pointerenter", () => {
      if (document.activeElement === document.body) this.grid.focus({ preventScroll: true });
    });
    this.grid.addEventListener("pointerleave", () => {
      if (document.activeElement === this.grid) this.grid.blur();
      this.show(this.combo.value);
    });
  }

  searchKey(event) {
    if (event.key === "Escape") this.search.value = "";
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      const first = this.cards.find(card => !card.hidden);
      if (first) this.choose(first.dataset.style);
    }
    if (event.key === "Escape") this.filter();
    if (!event.ctrlKey && !event.metaKey) event.stopPropagation();
  }

  get names() {
    const { values } = this.combo.options;
    return (typeof values === "function" ? values() : values) ?? [];
  }

  // Make the cards anew, the favourites first.
  fill() {
    const liked = favorites();
    const names = [...this.names];
    this.filled = names.join("\n");
    // Two rows are seen; this says how many more there are.
    this.search.placeholder = texts().searchAmong(names.length);
    this.cards = [...names.filter(name => liked.has(name)), ...names.filter(name => !liked.has(name))].map(name =>
      this.card(name, liked.has(name)),
    );
    this.seen.disconnect();
    this.grid.replaceChildren(...this.cards, this.nothing);
    for (const card of this.cards) this.seen.observe(card);
    this.filter();
    this.update();
  }

  card(name, liked) {
    const label = styleLabel(name);
    const pick = made("button", "pick", { type: "button", title: label });
    pick.setAttribute("aria-label", label);
    const { caption, work } = aboutStyle(name);
    const lines = made("span", "caption");
    for (const [part, textContent] of [["painter", caption], ["work", work]])
      if (textContent) lines.append(made("span", part, { textContent }));
    pick.append(lines);
    pick.addEventListener("click", () => this.choose(name));
    const star = made("button", "star", { type: "button", textContent: liked ? "★" : "☆" });
    star.title = liked ? texts().remove : texts().add;
    star.setAttribute("aria-label", `${star.title}: ${label}`);
    star.setAttribute("aria-pressed", String(liked));
    star.addEventListener("click", () => toggleFavorite(name));
    const card = made("div", "card");
    card.dataset.style = name;
    card.dataset.search = searchText(name);
    card.dataset.liked = String(liked);
    card.append(pick, star);
    card.addEventListener("pointerenter", () => this.show(name));
    return card;
  }

  load(card) {
    const { picture } = aboutStyle(card.dataset.style);
    if (picture) card.firstChild.style.backgroundImage = `url("${picture}")`;
    this.seen.unobserve(card);
  }

  filter() {
    const words = plain(this.search.value).split(/\s+/).filter(Boolean);
    let left = 0;
    for (const card of this.cards) {
      const found = words.every(word => card.dataset.search.includes(word));
      card.hidden = !found || (this.onlyFavorites && card.dataset.liked !== "true");
      left += !card.hidden;
    }
    const { noFavorites, noMatch } = texts();
    this.nothing.textContent = this.onlyFavorites && !words.length ? noFavorites : noMatch;
    this.nothing.hidden = left > 0;
    this.filterStar.setAttribute("aria-pressed", String(this.onlyFavorites));
  }

  // As if it was chosen in the combo: undo, callbacks and other packs see it.
  choose(name) {
    const { canvas } = app;
    canvas.emitBeforeChange();
    this.combo.setValue(name, { e: undefined, node: this.node, canvas });
    canvas.emitAfterChange();
    this.node.setDirtyCanvas(true, true);
    this.show(name);
  }

  // Follow the combo and the connections.
  update() {
    if (this.filled !== this.names.join("\n")) return this.fill();
    const overruling = NODES[this.node.comfyClass];
    const overruled = this.node.inputs?.find(({ name, link }) => overruling.includes(name) && link != null);
    this.element.classList.toggle("brushwork-overruled", Boolean(overruled));
    this.element.dataset.notice = overruled ? texts().overruled[overruled.name] : "";
    for (const card of this.cards)
      card.classList.toggle("brushwork-current", card.dataset.style === this.combo.value);
    this.scrollToCurrent();
    this.show(this.combo.value);
  }

  // Not by scrollIntoView, which would scroll the page, too.
  scrollToCurrent() {
    const card = this.cards.find(({ dataset }) => dataset.style === this.combo.value);
    if (!card || card.hidden || card.matches(":hover") || !this.grid.offsetParent) return;
    const top = card.offsetTop - this.cards.find(({ hidden }) => !hidden).offsetTop;
    const { scrollTop, clientHeight } = this.grid;
    // Its row comes first; at the end of the list the last rows are whole.
    if (top < scrollTop || top + card.offsetHeight > scrollTop + clientHeight) this.grid.scrollTop = top;
  }

  // A style in the place above the search field.
  show(name) {
    const { title, artist, year, picture } = aboutStyle(name);
    const here = this.names.includes(name);
    this.preview.hidden = !here || !picture;
    if (here && picture) this.preview.src = picture;
    this.title.textContent = title;
    this.artist.textContent = here ? artist : texts().missing;
    this.year.textContent = here ? year : "";
  }
}
