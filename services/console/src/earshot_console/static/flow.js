// The picture of the flow: channel → what it is → where it goes, over the last items. Bands are as thick as their share.

import { svg, count } from "./api.js";

const MOST = 400;
const COLUMNS = ["channel", "intent", "route"];
const HEADS = ["heard on", "is a", "goes to"];
const MOST_NODES = 6;
const REST = "all the rest", KEPT = "kept, no action";
const NARROW = 480; // in a narrower picture the labels of two columns would meet: the middle gives way, and the longest is cut
const PAD = 10, NODE = 11, TOP = 26;

export class Flow {
  constructor(picture, counter) {
    this.picture = picture;
    this.counter = counter;
    this.items = [];
    this.due = false;
    new ResizeObserver(() => this.ask()).observe(picture);
  }

  add(item) {
    const routes = item.routes?.length ? item.routes : [KEPT];
    this.items.push({ channel: item.channel || "?", intent: item.intent || "unknown", route: routes.slice().sort().join(" + ") });
    if (this.items.length > MOST) this.items.splice(0, this.items.length - MOST);
    this.ask();
  }

  ask() {
    if (this.due) return;
    this.due = true;
    setTimeout(() => { this.due = false; this.draw(); }, 250);
  }

  draw() {
    const { width, height } = this.picture.getBoundingClientRect();
    if (!width) return;
    if (!this.items.length) {
      this.picture.removeAttribute("viewBox");
      this.picture.replaceChildren(svg("text", { class: "head", x: 0, y: 24 }, "Nothing yet: it is drawn from what comes in"));
      return;
    }
    this.counter.textContent = count(this.items.length);
    this.picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const columns = COLUMNS.map((column) => this.nodes(column, height));
    const narrow = width < NARROW;
    const places = [0, (width - NODE) * (narrow ? 0.38 : 0.5), width - NODE];
    const parts = [];
    for (const [index, head] of HEADS.entries()) {
      parts.push(svg("text", { class: "head", x: anchorX(index, places), y: 12, "text-anchor": ["start", "middle", "end"][index] }, head));
    }
    for (const side of [0, 1]) parts.push(...this.bands(columns, places, side));
    for (const [index, nodes] of columns.entries()) {
      for (const node of nodes.values()) {
        parts.push(svg("rect", { class: `node k${node.colour}`, x: places[index], y: node.y, width: NODE, height: Math.max(node.size, 2) }));
        const label = svg("text", { x: labelX(index, places), y: node.y + node.size / 2 + 4, "text-anchor": index === 2 ? "end" : "start" }, `${narrow && node.name === KEPT ? "kept" : node.name} `);
        label.append(svg("tspan", { class: "count" }, count(node.n)));
        parts.push(label);
      }
    }
    this.picture.replaceChildren(...parts);
  }

  nodes(column, height) {
    const tally = new Map();
    for (const item of this.items) tally.set(item[column], (tally.get(item[column]) ?? 0) + 1);
    const ranked = [...tally].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]));
    const kept = ranked.slice(0, MOST_NODES);
    const rest = ranked.slice(MOST_NODES).reduce((sum, [, n]) => sum + n, 0);
    if (rest) kept.push([REST, rest]);
    const room = height - TOP - 8 - PAD * (kept.length - 1);
    const nodes = new Map();
    let y = TOP;
    for (const [index, [name, n]] of kept.entries()) {
      const size = (room * n) / this.items.length;
      nodes.set(name, { name, n, y, size, colour: (index % 6) + 1, out: 0, in: 0 });
      y += size + PAD;
    }
    return nodes;
  }

  bands(columns, places, side) {
    const [from, to] = [columns[side], columns[side + 1]];
    const links = new Map();
    for (const item of this.items) {
      const a = from.has(item[COLUMNS[side]]) ? item[COLUMNS[side]] : REST;
      const b = to.has(item[COLUMNS[side + 1]]) ? item[COLUMNS[side + 1]] : REST;
      const key = `${a}\u0000${b}`;
      links.set(key, (links.get(key) ?? 0) + 1);
    }
    const parts = [];
    for (const a of from.values()) {
      for (const b of to.values()) {
        const n = links.get(`${a.name}\u0000${b.name}`);
        if (!n) continue;
        const [thickA, thickB] = [(a.size * n) / a.n, (b.size * n) / b.n];
        const [x0, x1] = [places[side] + NODE, places[side + 1]];
        const [y0, y1] = [a.y + a.out, b.y + b.in];
        a.out += thickA;
        b.in += thickB;
        const middle = (x0 + x1) / 2;
        const path = `M${x0},${y0}C${middle},${y0} ${middle},${y1} ${x1},${y1}V${y1 + thickB}C${middle},${y1 + thickB} ${middle},${y0 + thickA} ${x0},${y0 + thickA}Z`;
        parts.push(svg("path", { class: `band k${a.colour}`, d: path }, svg("title", {}, `${a.name} → ${b.name}: ${count(n)}`)));
      }
    }
    return parts;
  }
}

const anchorX = (index, places) => [places[0], places[1] + NODE / 2, places[2] + NODE][index];
const labelX = (index, places) => (index === 2 ? places[2] - 6 : places[index] + NODE + 6);
