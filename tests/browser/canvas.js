// Questions that the tests ask ComfyUI's page; comfyui_page.py loads this before the page.

const MUTED = 2;
const TITLE_HEIGHT = 30;

window.canvasTests = {
  nodes: () => app.graph.nodes,
  node: id => app.graph.getNodeById(Number(id)),
  link: id => app.graph.links.get?.(id) ?? app.graph.links[id],
  links: () => [...(app.graph.links.values?.() ?? Object.values(app.graph.links))],

  // [left, top, right, bottom] of a node with its title. With Nodes 2.0 it is as large as its element.
  box({ id, pos, size }) {
    const element = LiteGraph.vueNodesMode && document.querySelector(`[data-node-id="${id}"]`);
    if (!element) return [pos[0], pos[1] - TITLE_HEIGHT, pos[0] + size[0], pos[1] + size[1]];
    const { canvas, ds: { scale, offset } } = app.canvas, page = canvas.getBoundingClientRect();
    const { left, top, right, bottom } = element.getBoundingClientRect();
    const x = seen => (seen - page.left) / scale - offset[0], y = seen => (seen - page.top) / scale - offset[1];
    return [x(left), y(top), x(right), y(bottom)].map(Math.round);
  },

  store: name => document.querySelector('#vue-app').__vue_app__.config.globalProperties.$pinia._s.get(name),

  // Pages with detailed cards keep none.
  descriptionKept(template) {
    return this.store('workflowTemplates').getTemplateByName?.(template)?.description ?? '';
  },

  // Ids of nodes, best first, as the search box lists them.
  search(words) {
    return this.store('nodeDef').nodeSearchService.searchNode(words).map(node => node.name);
  },

  // Widgets and outputs of App mode's form, as in a workflow's linearData; both are in the page, too.
  form() {
    const { selectedInputs, selectedOutputs } = this.store('appMode');
    const labels = [...document.querySelectorAll('[data-testid=linear-widgets] [data-testid=builder-widget-label]')];
    return {
      inputs: selectedInputs.map(([id, name]) => [Number(id.split(':')[1]), name]),
      outputs: selectedOutputs.map(Number),
      labels: labels.map(label => label.textContent.trim()),
    };
  },

  // Everything that a workflow must not show, as sentences.
  faults() {
    return this.nodes().flatMap(node => [
      ...(LiteGraph.registered_node_types[node.type] ? [] : [`${node.type} is missing`]),
      ...(node.widgets ?? []).flatMap(widget => this.widgetFaults(node, widget)),
      ...(node.inputs ?? []).flatMap(input => this.linkFaults(node, input)),
      ...this.layoutFaults(node),
      ...this.wireFaults(node),
    ]);
  },

  widgetFaults(node, { name, type, value, options }) {
    if (type === 'combo' && node.mode !== MUTED) {
      const choices = typeof options.values === 'function' ? options.values() : options.values;
      if (!choices.includes(value)) return [`${node.title}: ${name} is ${value}, which is no choice`];
    }
    if (typeof value === 'number' && (value < options?.min || value > options?.max))
      return [`${node.title}: ${name} is ${value}, which is out of range`];
    return [];
  },

  linkFaults(node, input) {
    if (input.link == null) return [];
    const link = this.link(input.link);
    if (link?.target_id !== node.id) return [`${node.title}: ${input.name} has a bad link`];
    const output = this.node(link.origin_id)?.outputs[link.origin_slot];
    const fits = output && LiteGraph.isValidConnection(output.type, input.type);
    return fits ? [] : [`${node.title}: what comes to ${input.name} does not fit`];
  },

  layoutFaults(node) {
    const [left, top, right, bottom] = this.box(node);
    const under = this.nodes().filter(other => {
      const [a, b, c, d] = this.box(other);
      return other.id < node.id && a < right && left < c && b < bottom && top < d;
    });
    const around = app.graph.groups.filter(({ pos: [x, y], size: [width, height] }) =>
      x <= left && y <= top && x + width >= right && y + height >= bottom);
    return [
      ...under.map(other => `${node.title} lies on ${other.title}`),
      ...(around.length === 1 ? [] : [`${node.title} is in ${around.length} groups`]),
    ];
  },

  // Wires as the page has drawn them that run behind this node: they cross its edge.
  wireFaults(node) {
    const [left, top, right, bottom] = this.box(node), inside = 4, step = 3;
    const edge = [];
    for (let x = left + inside; x < right - inside; x += step) edge.push([x, top + inside], [x, bottom - inside]);
    for (let y = top + inside; y < bottom - inside; y += step) edge.push([left + inside, y], [right - inside, y]);
    const brush = document.createElement('canvas').getContext('2d');
    brush.lineWidth = step + 1;
    return this.links()
      .filter(link => link.origin_id !== node.id && link.target_id !== node.id)
      .filter(({ path }) => !path || edge.some(([x, y]) => brush.isPointInStroke(path, x, y)))
      .map(link => {
        const [from, to] = [link.origin_id, link.target_id].map(id => this.node(id).title);
        return `the wire from ${from} to ${to} ${link.path ? `runs behind ${node.title}` : 'is not drawn'}`;
      });
  },

  async openHelp(type) {
    app.graph.clear();
    const node = LiteGraph.createNode(type);
    app.graph.add(node);
    app.canvas.select(node);
    const [right, left] = [this.store('rightSidePanel'), this.store('sidebarTab')];
    if (right) return right.openPanel('info');
    if (left.activeSidebarTabId !== 'node-library') left.toggleSidebarTab('node-library');
    await new Promise(opened => setTimeout(opened, 1500));
    this.store('nodeHelp').openHelp(this.store('nodeDef').nodeDefsByName[type]);
  },

  // Widths of the help page's tables, and of what they would need.
  tables: () =>
    [...document.querySelectorAll('.node-help-content table')].map(table => [
      table.parentElement.clientWidth,
      Math.max(table.offsetWidth, table.scrollWidth),
    ]),

  // Once the view has rested for some frames: fitting it to the window is an animation, which a slow page draws late.
  async settled() {
    const view = () => [app.canvas.ds.scale, ...app.canvas.ds.offset].join();
    for (let last = view(), rests = 0; rests < 3; last = view()) {
      await new Promise(requestAnimationFrame);
      rests = view() === last ? rests + 1 : 0;
    }
  },

  async show(type) {
    await this.settled();
    app.canvas.ds.scale = 1;
    app.canvas.centerOnNode(this.nodes().find(node => node.type === type));
    app.canvas.setDirty(true, true);
    await this.settled();
  },

  // Keep the names of these events, and the texts that nodes then show with progress_text: [node's id, text].
  async note(names) {
    const { api } = await import('/scripts/api.js');
    this.events = [];
    this.texts = [];
    // A text comes onto its node some time after its message, more of it on a busy machine.
    const read = times => {
      for (const { id, widgets } of this.nodes())
        for (const { name, value } of widgets ?? [])
          if (name === '$$node-text-preview') this.texts.push([String(id), value]);
      if (times > 0) setTimeout(() => read(times - 1), 30);
    };
    for (const name of names)
      api.addEventListener(name, () => {
        this.events.push(name);
        if (name === 'progress_text') read(100);
      });
  },

  // As if the server had sent this event.
  async receive(type, detail) {
    const { api } = await import('/scripts/api.js');
    api.dispatchEvent(new CustomEvent(type, { detail }));
  },

  set(type, name, value) {
    const widgets = this.nodes().filter(n => n.type === type).map(n => n.widgets.find(w => w.name === name));
    if (!widgets.length || widgets.includes(undefined)) throw new Error(`no ${type} has ${name}`);
    for (const widget of widgets) widget.value = value;
  },

  // What is seen on a node: sizes of pictures and videos, each element once.
  shown(id) {
    const node = this.node(id);
    const inWidgets = kind => (node.widgets ?? []).flatMap(w => [...(w.element?.querySelectorAll?.(kind) ?? [])]);
    const seen = LiteGraph.vueNodesMode
      ? kind => [...document.querySelectorAll(`[data-node-id="${id}"] ${kind}`)] : inWidgets;
    if (node.type === 'SaveVideo')
      return seen('video').filter(v => v.videoWidth).map(v => [v.videoWidth, v.videoHeight]);
    // Pages may draw a picture on the canvas, or show the same element in a widget.
    const images = new Set([...(LiteGraph.vueNodesMode ? [] : node.imgs ?? []), ...seen('img')]);
    return [...images].filter(i => i.complete && i.naturalWidth).map(i => [i.naturalWidth, i.naturalHeight]);
  },
};
