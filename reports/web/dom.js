'use strict';
// Making elements. Text goes in as text only, so a name from the data can never become markup.

const byId = (id) => document.getElementById(id);

// el('td', {class: 'words', onclick: f}, 'text', child, ...)
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === 'function') node[name] = value;
    else if (name === 'style') node.style.cssText = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat()) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
  return node;
}

// A section that has nothing to show goes, and its link with it.
function showSection(id, shown) {
  byId(id).hidden = !shown;
  for (const link of document.querySelectorAll(`nav a[href="#${id}"]`)) link.hidden = !shown;
}

const swatch = (color, extra) => el('i', {class: 'swatch', style: `background:${color};${extra || ''}`});

// A legend entry is [colour, text] or [colour, text, extra css].
function fillLegend(id, entries) {
  byId(id).replaceChildren(
    ...entries.map(([color, text, extra]) => el('span', {}, swatch(color, extra), text)),
  );
}

// Columns are {name, unit, words, get}; the first is the row's heading.
function table(columns, rows, options) {
  const {caption, rowClass, plain} = options || {};
  const head = columns.map((c) =>
    el(
      'th',
      {scope: 'col', class: c.words ? 'words' : null},
      c.name,
      c.unit ? el('span', {class: 'unit'}, c.unit) : null,
    ),
  );
  const body = rows.map((row, i) =>
    el(
      'tr',
      {class: rowClass ? rowClass(row) : null},
      columns.map((c, k) =>
        el(
          k === 0 ? 'th' : 'td',
          {scope: k === 0 ? 'row' : null, class: c.words ? 'words' : null},
          c.get(row, i),
        ),
      ),
    ),
  );
  return el(
    'table',
    {class: plain ? 'plain' : null},
    caption ? el('caption', {}, caption) : null,
    el('thead', {}, el('tr', {}, head)),
    el('tbody', {}, body),
  );
}

const factList = (pairs) =>
  el(
    'dl',
    {class: 'facts'},
    pairs
      .filter((p) => p && p[1] !== null && p[1] !== '')
      .flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]),
  );

const clamp = (x, low, high) => Math.min(Math.max(x, low), high);

// At most one call a frame, however many events arrive.
function frameThrottle(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}

// Formulas are set as code so that they stand out from the prose around them.
function explain(id, ...paragraphs) {
  byId(id).replaceChildren(...paragraphs.map((p) => el('p', {}, p)));
}

const code = (text) => el('code', {}, text);

// Draws a section when it is on the screen, else as soon as it comes there or is printed: what nobody sees need not
// cost each frame of a moving timeline.
function whenSeen(id, work) {
  let seen = true,
    due = false;
  const catchUp = () => {
    if (due) work();
    due = false;
  };
  new IntersectionObserver((entries) => {
    seen = entries[entries.length - 1].isIntersecting;
    if (seen) catchUp();
  }).observe(byId(id));
  addEventListener('beforeprint', catchUp);
  return () => {
    due = true;
    if (seen) catchUp();
  };
}
