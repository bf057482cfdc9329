// Tables of Brushwork's help pages fit into the panel: long file names in them wrap.

const docs = new URL("../docs/", import.meta.url).pathname;
// Each of the pages has a picture, by which they are known; other packs' pages stay as they are.
const page = `.node-help-content:has(img[src*="${docs}"])`;
const style = document.createElement("style");
style.textContent = `
  ${page} table { display: table; table-layout: fixed; width: 100%; }
  ${page} :is(th, td) { overflow-wrap: anywhere; }
  ${page} :is(th, td):first-child { width: 45%; }
  ${page} :is(th, td) code { white-space: normal; }
`;
document.head.append(style);
