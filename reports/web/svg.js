// Plots as SVG: they print sharp, and their points can be focused.

// The namespace as the browser names it: a page holds no address, not even this one.
const SVG_NAMES = Object.assign(document.createElement('template'), {innerHTML: '<svg></svg>'}).content.firstChild
  .namespaceURI;

function svgEl(tag, attributes, ...children) {
  const node = document.createElementNS(SVG_NAMES, tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') node[name] = value;
    else if (name === 'style') node.style.cssText = value;
    else node.setAttribute(name, value);
  }
  for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
  return node;
}

// A range with a little room on both sides; of one value, around it.
function roomy(values, share = 0.06) {
  const finite = values.filter(Number.isFinite);
  if (!finite.length) return [0, 1];
  const low = finite.reduce((a, b) => Math.min(a, b)),
    high = finite.reduce((a, b) => Math.max(a, b));
  const room = high > low ? (high - low) * share : Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

// Axes are {range, name, text, unit} with text(value) for ticks at round multiples of the unit, or {names} for a
// place a name.
class Plot {
  constructor(width, height, x, y) {
    Object.assign(this, {width, height, left: 92, right: 18, top: 14, bottom: 46});
    this.axes = {x, y};
    this.svg = svgEl('svg', {
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      class: 'plot',
      role: 'group',
    });
    this.drawAxes();
  }
  x(value) {
    return this.place(this.axes.x, value, this.left, this.width - this.right);
  }
  y(value) {
    return this.place(this.axes.y, value, this.height - this.bottom, this.top);
  }
  place({range, names}, value, from, to) {
    if (names) return from + ((value + 0.5) / names.length) * (to - from);
    return from + ((value - range[0]) / (range[1] - range[0])) * (to - from);
  }
  add(tag, attributes, ...children) {
    const node = svgEl(tag, attributes, ...children);
    this.svg.append(node);
    return node;
  }
  ticks(axis, room) {
    if (axis.names) {
      const every = Math.ceil(axis.names.length / Math.max(1, room));
      return axis.names.map((text, at) => ({at, text})).filter((_, i) => i % every === 0);
    }
    const unit = axis.unit || 1,
      {ticks} = niceTicks(axis.range[0] / unit, axis.range[1] / unit, room);
    return ticks.map((tick) => ({at: tick * unit, text: axis.text(tick * unit)}));
  }
  drawAxes() {
    const {x, y} = this.axes,
      foot = this.height - this.bottom,
      end = this.width - this.right;
    for (const {at, text} of this.ticks(x, (end - this.left) / 95)) {
      this.add('line', {class: 'gridline', x1: this.x(at), x2: this.x(at), y1: this.top, y2: foot});
      const name = shortened(text, 16),
        over = this.x(at) + 3.5 * name.length > this.width; // a tick near the edge: its name ends there
      this.add('text', {x: over ? this.width : this.x(at), y: foot + 17, class: over ? 'tick end' : 'tick middle'}, name);
    }
    for (const {at, text} of this.ticks(y, (foot - this.top) / 44)) {
      this.add('line', {class: 'gridline', x1: this.left, x2: end, y1: this.y(at), y2: this.y(at)});
      this.add('text', {x: this.left - 8, y: this.y(at) + 4, class: 'tick end'}, shortened(text, 13));
    }
    this.add('line', {class: 'axis', x1: this.left, x2: end, y1: foot, y2: foot});
    this.add('text', {x: (this.left + end) / 2, y: this.height - 8, class: 'axis-name middle'}, x.name);
    const middle = (this.top + foot) / 2;
    this.add('text', {x: 13, y: middle, class: 'axis-name middle', transform: `rotate(-90 13 ${middle})`}, y.name);
  }
  // A point that can be hovered, focused and chosen.
  mark(x, y, {shape = 'circle', size = 5, label, tip, choose, ...attributes}) {
    const node = this.add('path', {
      d: markPath(shape, this.x(x), this.y(y), size),
      'aria-label': label,
      tabindex: choose ? 0 : null,
      role: choose ? 'button' : 'img',
      ...attributes,
    });
    withTooltip(node, tip);
    if (!choose) return node;
    node.onclick = choose;
    node.onfocus = () => {
      const box = node.getBoundingClientRect();
      showTooltip(box.right, box.bottom, tip());
    };
    node.onblur = hideTooltip;
    node.onkeydown = (event) => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      choose();
    };
    return node;
  }
}

const MARKS = ['circle', 'square', 'diamond', 'triangle', 'cross'];

function markPath(shape, x, y, r) {
  if (shape === 'square') return `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`;
  if (shape === 'diamond') return `M${x} ${y - 1.3 * r}L${x + 1.3 * r} ${y}L${x} ${y + 1.3 * r}L${x - 1.3 * r} ${y}z`;
  if (shape === 'triangle') return `M${x} ${y - 1.2 * r}L${x + 1.2 * r} ${y + r}L${x - 1.2 * r} ${y + r}z`;
  if (shape === 'cross') return `M${x - r} ${y - r}L${x + r} ${y + r}M${x + r} ${y - r}L${x - r} ${y + r}`;
  return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
}

const shortened = (text, most) => (text.length > most ? text.slice(0, most - 1) + '…' : text);

// Redraws a plot when the room for it changes.
function plotInto(id, draw) {
  const node = byId(id);
  let width = 0;
  const redraw = () => {
    width = node.clientWidth;
    if (width > 0) node.replaceChildren(draw(Math.max(280, width)));
  };
  new ResizeObserver(() => node.clientWidth !== width && redraw()).observe(node);
  redraw();
  return redraw;
}
