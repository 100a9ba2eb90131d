// Who sends to whom: a matrix of pipeline ranks by schedule, darker where more, of the resource chosen above.

const trafficOf = (r) => (r.resources && resourceOf(r).traffic) || {from: []};
const CELL_ROOM = 300;

// Messages are far smaller than what a rank's own GPUs exchange: shades go by the logarithm, from a
// fifth for the least.
function trafficShade(bytes, least, most) {
  return most > least ? 0.2 + (0.8 * Math.log(bytes / least)) / Math.log(most / least) : 1;
}

function trafficCell(traffic, i, pitch, colour) {
  const from = traffic.from[i],
    to = traffic.to[i],
    whom = from === to ? 'among its own GPUs' : `to rank ${to}`;
  return svgEl(
    'rect',
    {x: 34 + to * pitch, y: 22 + from * pitch, width: pitch - 1, height: pitch - 1, fill: colour},
    svgEl('title', {}, `rank ${from} ${whom}: ${formatBytes(traffic.bytes[i])} a GPU`),
  );
}

function trafficMatrix(r) {
  const traffic = trafficOf(r),
    pitch = clamp(Math.floor(CELL_ROOM / r.ranks), 4, 22),
    side = r.ranks * pitch,
    step = Math.ceil(24 / pitch),
    least = Math.min(...traffic.bytes),
    most = Math.max(...traffic.bytes);
  const svg = svgEl('svg', {
    viewBox: `0 0 ${side + 40} ${side + 28}`,
    width: side + 40,
    height: side + 28,
    class: 'plot',
    role: 'img',
    'aria-label': `Who sends to whom, ${r.label}; table below`,
  });
  svg.append(
    svgEl('rect', {x: 34, y: 22, width: side, height: side, fill: palette.get('row'), stroke: palette.get('grid')}),
    svgEl('text', {x: 30, y: 14, class: 'end'}, 'to'),
  );
  for (let rank = 0; rank < r.ranks; rank += step) {
    const middle = (rank + 0.5) * pitch;
    svg.append(
      svgEl('text', {x: 34 + middle, y: 14, class: 'middle'}, rank),
      svgEl('text', {x: 28, y: 26 + middle, class: 'end'}, rank),
    );
  }
  traffic.from.forEach((_, i) => {
    const shade = trafficShade(traffic.bytes[i], least, most);
    svg.append(trafficCell(traffic, i, pitch, heatColour(100 * shade)));
  });
  return svg;
}

const trafficRange = (r) =>
  [Math.min(...trafficOf(r).bytes), Math.max(...trafficOf(r).bytes)].map(formatBytes).join(' to ') + ' a GPU';

function trafficTable(r) {
  const t = trafficOf(r);
  return table(
    [
      {name: 'From rank', get: (i) => String(t.from[i])},
      {name: 'To rank', get: (i) => (t.from[i] === t.to[i] ? 'its own GPUs' : String(t.to[i])), words: true},
      {name: 'Sent', unit: 'of one GPU in the step', get: (i) => formatBytes(t.bytes[i])},
    ],
    t.from.map((_, i) => i),
    {caption: r.label},
  );
}

function drawTraffic() {
  const shown = report.results.filter((r) => trafficOf(r).from.length);
  byId('traffic').hidden = !shown.length;
  byId('traffic-maps').replaceChildren(
    ...shown.map((r) =>
      el(
        'div',
        {class: 'matrix'},
        el('div', {class: 'curve-head'}, el('b', {title: r.label}, r.label), el('span', {class: 'note'}, trafficRange(r))),
        trafficMatrix(r),
      ),
    ),
  );
  byId('traffic-tables').replaceChildren(...shown.map((r) => el('div', {class: 'scroll'}, trafficTable(r))));
  explain('traffic-how', [
    'A row sends, a column receives: bytes that one GPU of the rank sends in the step over the resource chosen above. ' +
      'Beside the diagonal are messages of the pipeline; on it is what the GPUs of one rank exchange: dispatch, combine, gradients and parameters. ' +
      'Shades go by the logarithm, from the least to the most of each schedule.',
  ]);
}
