// The fabric: its levels with the links between them, coloured by use, and who uses those that are chosen.

const LEVEL_ORDER = ['core', 'spine', 'router', 'leaf', 'NIC', 'GPU', 'NVLink switch']; // from above
const MOST_BOXES = 16;

// What is known of a link's use, a direction each: {name, percent, busiest, bytes, work, rank}. At fidelity flow
// from all links, else of one GPU of each rank and of its NIC and NVLink only.
function usesOfLink(result, link) {
  const counted = result.raw.links;
  if (counted)
    return counted.classes
      .filter((c) => [c.from, c.to].sort().join() === [link.lower, link.upper].sort().join())
      .map((c) => ({...c, share: (100 * sumOf(c.by_work)) / (c.bytes_per_s * result.raw.step_time_s), bytes: sumOf(c.by_work)}));
  if (!result.resources) return [];
  return result.resources.rows
    .filter((row) => (link.name === 'NVLink' ? row.name === 'NVLink' : link.name === 'NIC' && row.name.startsWith('NIC')))
    .map((row) => ({
      name: row.name,
      share: meanOf(row.percent.flat()),
      busiest: null,
      by_rank: row.bytes,
      by_work: null,
      bytes: sumOf(row.bytes),
    }));
}

const sumOf = (list) => list.reduce((a, b) => a + b, 0);
const meanOf = (list) => (list.length ? sumOf(list) / list.length : 0);
const useText = (u) => `${u.name} ${u.share.toFixed(1)}%`;

const fabricResult = () => report.results[Math.min(Math.max(state.fabric, 0), report.results.length - 1)];

// Boxes of a level: all of few, else some and dots.
function boxesOf(count, width) {
  const shown = Math.min(count, MOST_BOXES, Math.max(2, Math.floor(width / 26))),
    pitch = width / shown;
  return Array.from({length: shown}, (_, i) => ({x: (i + 0.5) * pitch, dots: shown < count && i === shown - 2}));
}

function drawFabricPicture(width) {
  const {levels, links} = report.raw.fabric,
    result = fabricResult(),
    left = width < 640 ? 8 : 150;
  const rows = LEVEL_ORDER.map((name) => levels.find((l) => l.name === name)).filter(Boolean);
  const plot = width - left - 8,
    pitch = 92,
    height = rows.length * pitch - 34;
  const svg = svgEl('svg', {viewBox: `0 0 ${width} ${height}`, width, height, class: 'plot fabric', role: 'group'});
  const at = new Map(rows.map((level, i) => [level.name, {y: 22 + i * pitch, boxes: boxesOf(level.count, plot)}]));
  links.forEach((link, i) => svg.append(linkGroup(link, i, at, left, width, result)));
  for (const level of rows) {
    const {y, boxes} = at.get(level.name),
      small = left < 100;
    for (const box of boxes)
      svg.append(
        box.dots
          ? svgEl('text', {x: left + box.x, y: y + 4, class: 'middle'}, '…')
          : svgEl('rect', {class: 'vertex', x: left + box.x - 9, y: y - 8, width: 18, height: 16, rx: 3}),
      );
    svg.append(
      svgEl('text', {x: small ? left : left - 14, y: small ? y - 13 : y + 4, class: small ? 'tick' : 'axis-name end'}, levelText(level)),
    );
  }
  return svg;
}

function levelText(level) {
  const {node_gpus: gpus, nodes} = report.raw.fabric;
  if (level.name === 'GPU') return `${nodes} nodes × ${gpus} GPUs`;
  const many = level.name === 'leaf' ? 'leaves' : level.name.replace(/switch$/, 'switche') + 's';
  return `${level.count} ${level.count === 1 ? level.name : many}`;
}

// Lines from every box below to the nearest above and to its neighbours: a folded picture, not a cable plan.
function linkPath(from, to, left) {
  if (from === to) return from.boxes.slice(1).map((b, i) => `M${left + from.boxes[i].x + 9} ${from.y}L${left + b.x - 9} ${to.y}`).join('');
  const [low, high] = from.y > to.y ? [from, to] : [to, from],
    lines = [];
  const places = (row) => row.boxes.filter((b) => !b.dots);
  for (const a of places(low)) {
    const near = places(high)
      .map((b) => ({b, away: Math.abs(b.x - a.x)}))
      .sort((p, q) => p.away - q.away)
      .slice(0, 3);
    for (const {b} of near) lines.push(`M${left + a.x} ${low.y - 8}L${left + b.x} ${high.y + 8}`);
  }
  return lines.join('');
}

function linkGroup(link, i, at, left, width, result) {
  const uses = usesOfLink(result, link),
    most = uses.reduce((m, u) => Math.max(m, u.share), 0);
  const [low, high] = [at.get(link.lower), at.get(link.upper)];
  const text = `${link.name}: ${link.count} × ${formatRate(link.bytes_per_s)}` + (uses.length ? '; ' + uses.map(useText).join(', ') : '; not simulated');
  const middle = low === high ? low.y + 26 : (low.y + high.y) / 2;
  const label = width < 640 ? shortened(text, Math.floor(width / 6.4)) : text;
  const node = svgEl(
    'g',
    {class: 'link' + (state.link === i ? ' chosen' : ''), tabindex: 0, role: 'button', 'aria-label': text, 'aria-pressed': String(state.link === i)},
    svgEl('path', {
      d: linkPath(low, high, left),
      class: uses.length ? 'cable' : 'cable unknown',
      style: uses.length ? `stroke:${mix(palette.lineStrong, palette.get('heat'), Math.min(1, most / 100 + 0.08))};stroke-width:${1 + most / 25}` : '',
    }),
    svgEl('rect', {class: 'plate-box', x: (left + width) / 2 - label.length * 3.4, y: middle - 11, width: label.length * 6.8, height: 20, rx: 4}),
    svgEl('text', {x: (left + width) / 2, y: middle + 4, class: 'middle'}, label),
  );
  const choose = () => setState({link: state.link === i ? -1 : i});
  node.onclick = choose;
  node.onkeydown = (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    choose();
  };
  withTooltip(node, () => [el('strong', {}, link.name), factList(linkFacts(link, uses))]);
  return node;
}

const linkFacts = (link, uses) => [
  ['Links', `${link.count}, ${formatRate(link.bytes_per_s)} each and way`],
  ...uses.map((u) => [u.name, `${u.share.toFixed(1)}% in the mean` + (u.busiest === null ? '' : `, ${(100 * u.busiest).toFixed(1)}% on the busiest link`)]),
];

// Who uses the chosen links: what work, which ranks, which operations.
function drawLinkUsers() {
  const link = report.raw.fabric.links[state.link],
    node = byId('fabric-users');
  if (!link) return node.replaceChildren('Choose links in the picture or in the table: who uses them is listed here.');
  const result = fabricResult(),
    uses = usesOfLink(result, link);
  if (!uses.length)
    return node.replaceChildren(el('h3', {}, link.name), `At this fidelity nothing is known of these links; --fidelity flow runs every transfer over them.`);
  const works = (result.raw.links || {}).works || [];
  node.replaceChildren(
    el('h3', {}, `${link.name}, under ${result.label}`),
    el('div', {class: 'columns'}, ...uses.map((u) => linkUserTables(u, works, result))),
  );
}

function linkUserTables(use, works, result) {
  const share = (bytes) => formatShare(bytes / Math.max(1, use.bytes));
  const rows = use.by_work
    ? use.by_work.map((bytes, i) => [works[i], bytes]).filter(([, bytes]) => bytes > 0)
    : [];
  const ranks = use.by_rank.map((bytes, rank) => ['rank ' + rank, bytes]);
  const columns = [
    {name: 'By', get: (r) => r[0]},
    {name: 'Bytes', get: (r) => formatBytes(r[1])},
    {name: 'Share', get: (r) => share(r[1])},
  ];
  const names = result.resources && !use.by_work ? operationsOn(result, use.name) : [];
  return el(
    'div',
    {},
    el('h4', {}, useText(use)),
    rows.length ? table(columns, rows) : null,
    names.length ? el('p', {}, 'Operations: ' + names.join(', ')) : null,
    el('details', {}, el('summary', {}, use.by_work ? 'By the rank that sends' : 'By rank, of one of its GPUs'), table(columns, ranks)),
  );
}

function operationsOn(result, name) {
  const row = result.resources.rows.findIndex((r) => r.name === name);
  return result.opNames.filter((_, op) => result.resources.op_percent[op][row] > 0).map((op) => op);
}

function drawFabricTable() {
  const result = fabricResult();
  byId('fabric-table').replaceChildren(
    table(
      [
        {name: 'Links', get: (l) => el('button', {class: 'link', type: 'button', onclick: () => setState({link: report.raw.fabric.links.indexOf(l)})}, l.name)},
        {name: 'Between', words: true, get: (l) => `${l.lower} and ${l.upper}`},
        {name: 'Count', get: (l) => String(l.count)},
        {name: 'Rate', unit: 'of one, each way', get: (l) => formatRate(l.bytes_per_s)},
        {name: 'Use', words: true, unit: 'mean over links and time', get: (l) => usesOfLink(result, l).map(useText).join(', ') || '–'},
        {name: 'Busiest', words: true, unit: 'link, over the step', get: (l) => usesOfLink(result, l).filter((u) => u.busiest !== null).map((u) => `${u.name} ${(100 * u.busiest).toFixed(1)}%`).join(', ') || '–'},
      ],
      report.raw.fabric.links,
      {caption: result.label},
    ),
  );
}

// Classes of links by time, darker where more.
function drawLinkTimes(width) {
  const {links} = fabricResult().raw,
    left = 120,
    pitch = 22;
  const classes = links ? links.classes : [],
    height = classes.length * pitch + 30;
  const svg = svgEl('svg', {viewBox: `0 0 ${width} ${height}`, width, height, class: 'plot', role: 'img', 'aria-label': 'Use of links by class and time; numbers in the table below'});
  const slices = classes.length ? classes[0].percent.length : 0,
    end = slices * (links ? links.slice_ns : 1),
    step = (width - left - 12) / Math.max(1, slices);
  classes.forEach((c, row) => {
    svg.append(svgEl('text', {x: left - 8, y: row * pitch + 15, class: 'end'}, c.name));
    for (let s = 0; s < slices; ) {
      let to = s + 1;
      while (to < slices && c.percent[to] === c.percent[s]) to++;
      const cell = svgEl('rect', {x: left + s * step, y: row * pitch + 2, width: (to - s) * step + 0.3, height: pitch - 4, style: `fill:${heatColour(c.percent[s])}`});
      const [from, until, percent] = [s * links.slice_ns, to * links.slice_ns, c.percent[s]];
      withTooltip(cell, () => [el('strong', {}, c.name), factList([['Share', percent + '%'], ['From', formatNs(from)], ['To', formatNs(until)]])]);
      svg.append(cell);
      s = to;
    }
  });
  const {step: tick, ticks} = niceTicks(0, Math.max(1, end), (width - left) / 110),
    format = axisFormat(tick, end);
  for (const t of ticks)
    svg.append(svgEl('text', {x: left + (t / Math.max(1, end)) * (width - left - 12), y: height - 8, class: t ? 'middle' : ''}, `${format.text(t)} ${format.unit}`));
  return svg;
}

function makeFabric() {
  const {fabric} = report.raw,
    shown = Boolean(fabric && fabric.links && fabric.links.length);
  showSection('fabric', shown);
  if (!shown) return;
  const counted = report.results.some((r) => r.raw.links);
  byId('fabric-name').textContent = fabric.name;
  byId('fabric-result').replaceChildren(...report.results.map((r, i) => el('option', {value: i}, r.label)));
  byId('fabric-result').onchange = (event) => setState({fabric: Number(event.target.value)});
  byId('fabric-times-part').hidden = !counted;
  if (state.fabric < 0) setState({fabric: report.best});
  const parts = [plotInto('fabric-picture', drawFabricPicture)];
  if (counted) parts.push(plotInto('fabric-times', drawLinkTimes));
  const redraw = () => {
    byId('fabric-result').value = String(state.fabric);
    parts.forEach((part) => part());
    drawFabricTable();
    drawLinkUsers();
  };
  listen(['fabric', 'link', 'theme'], redraw);
  redraw();
  explainFabric(counted);
}

function explainFabric(counted) {
  explain(
    'fabric-how',
    [
      'Every level of the cluster, some of its parts drawn for all; a line stands for all links between two levels. Darker and thicker is more used: ',
      code('use = bytes carried in the step / (capacity × length of the step)'),
      ', mean over all links of a class, of the direction that is used more.',
    ],
    [
      counted
        ? 'Counted while every transfer ran over its route: the busiest link shows how unevenly routes spread.'
        : 'At fidelity op one GPU stands for all of its rank, and only its NVLink and its NIC are simulated; --fidelity flow runs every transfer over its route and counts all links.',
    ],
  );
}
