// What links and HBM carry: rank by time, darker where more; on the timeline's axis.

const hasLinks = () => report.results.some((r) => r.resources);
const resourceOf = (r) => r.resources.rows[Math.min(state.resource, r.resources.rows.length - 1)];
const formatRate = (bytesPerSecond) => significant(bytesPerSecond / 1e9, 4) + ' GB/s';

// "NIC out 74%, NVLink 37%": while an operation of this name runs, in the mean.
function usesOf(result, name) {
  if (!result.resources) return '';
  return result.resources.rows
    .map((row, i) => [row.name, result.resources.op_percent[name][i]])
    .filter(([, percent]) => percent > 0)
    .map(([row, percent]) => `${row} ${percent}%`)
    .join(', ');
}

function makeLinks() {
  showSection('links', hasLinks());
  if (!hasLinks()) return;
  const names = report.results.find((r) => r.resources).resources.rows.map((row) => row.name);
  byId('link-resource').replaceChildren(...names.map((name, i) => el('option', {value: i}, name)));
  byId('link-resource').onchange = (event) => setState({resource: Number(event.target.value)});
  byId('link-maps').replaceChildren(
    ...report.results.map((r, i) =>
      el(
        'div',
        {class: 'curve', hidden: !r.resources},
        el(
          'div',
          {class: 'curve-head'},
          el('b', {title: r.label}, r.label),
          el('span', {class: 'note', id: 'link-note-' + i}),
        ),
        el('canvas', {id: 'link-canvas-' + i, role: 'img', 'aria-label': `Link use, ${r.label}; table below`}),
      ),
    ),
  );
  report.results.forEach((r, i) => r.resources && listenHeat(byId('link-canvas-' + i), r));
  drawLinkTables();
  explain(
    'links-how',
    [
      'A row is a rank, a column a slice of the step; of one GPU, which stands for all of its rank. ',
      code('share = bytes moved in the slice / (capacity × length of the slice)'),
      '. Each operation moves its bytes evenly from its start to its end. Shares are rounded to whole percents.',
    ],
    [
      'The capacity is what transfers reach, not what the hardware is sold with. A link that is never full may still be what an operation waits for: slices are longer than operations.',
    ],
  );
}

const heatRow = (r) => clamp(Math.floor(220 / r.ranks), 3, 14);
const heatColour = (percent) => mix(palette.row, palette.get('heat'), Math.min(1, percent / 100));

function listenHeat(canvas, r) {
  canvas.onpointermove = (event) => {
    const box = canvas.getBoundingClientRect(),
      left = gutterWidth(box.width);
    const share = (event.clientX - box.left - left) / Math.max(10, box.width - left - 12),
      rank = Math.floor((event.clientY - box.top - 4) / heatRow(r));
    if (share < 0 || share > 1 || rank < 0 || rank >= r.ranks) return canvas.onpointerleave();
    const time = state.start + share * (state.end - state.start),
      row = resourceOf(r),
      slice = Math.floor(time / r.resources.slice_ns);
    setState({cursor: time});
    showTooltip(event.clientX, event.clientY, [
      el('strong', {}, `${row.name}, rank ${rank}`),
      factList([
        ['Share', `${row.percent[rank][slice] ?? 0}% of ${formatRate(row.bytes_per_s)}`],
        ['Slice', `${formatNs(r.resources.slice_ns)} from ${formatNs(slice * r.resources.slice_ns)}`],
      ]),
    ]);
  };
  canvas.onpointerleave = () => {
    hideTooltip();
    setState({cursor: null});
  };
}

function drawLinks() {
  if (!hasLinks()) return;
  byId('link-resource').value = String(state.resource);
  byId('link-ramp').style.background =
    `linear-gradient(90deg, ${heatColour(0)}, ${heatColour(50)}, ${heatColour(100)})`;
  report.results.forEach((r, i) => {
    if (!r.resources) return;
    const row = resourceOf(r),
      all = row.percent.flat(),
      mean = all.reduce((a, b) => a + b, 0) / Math.max(1, all.length),
      most = all.reduce((a, b) => Math.max(a, b), 0);
    byId('link-note-' + i).textContent =
      `${row.name}, ${formatRate(row.bytes_per_s)}: ${mean.toFixed(1)}% in the mean, ${most}% in the fullest slice`;
    drawHeat(byId('link-canvas-' + i), r, row);
  });
}

function drawHeat(canvas, r, row) {
  const pitch = heatRow(r),
    {ctx, width, height} = fitCanvas(canvas, canvas.clientWidth, r.ranks * pitch + 30);
  const left = gutterWidth(width),
    plot = Math.max(10, width - left - 12),
    scale = plot / (state.end - state.start),
    slice = r.resources.slice_ns;
  const x = (ns) => left + clamp((ns - state.start) * scale, 0, plot);
  ctx.clearRect(0, 0, width, height);
  ctx.font = CANVAS_FONT(11);
  ctx.textBaseline = 'middle';
  const colours = Array.from({length: 101}, (_, p) => heatColour(p));
  for (let rank = 0; rank < r.ranks; rank++) {
    const y = 4 + rank * pitch;
    row.percent[rank].forEach((percent, s) => {
      const x0 = Math.floor(x(s * slice)),
        x1 = Math.floor(x((s + 1) * slice));
      if (x1 <= x0) return;
      ctx.fillStyle = colours[Math.min(100, percent)];
      ctx.fillRect(x0, y, x1 - x0, pitch > 5 ? pitch - 1 : pitch);
    });
    if (rank % Math.ceil(12 / pitch)) continue;
    ctx.fillStyle = palette.muted;
    ctx.textAlign = 'right';
    ctx.fillText((left < 80 ? 'r ' : 'rank ') + rank, left - 10, y + pitch / 2);
  }
  const time = niceTicks(state.start, state.end, plot / 110),
    format = axisFormat(time.step, state.end);
  ctx.fillStyle = palette.muted;
  ctx.textAlign = 'center';
  for (const t of time.ticks)
    if (x(t) < width - 24 && x(t) > left + 8) ctx.fillText(`${format.text(t)} ${format.unit}`, x(t), height - 12);
  if (state.cursor === null) return;
  ctx.fillStyle = palette.text;
  ctx.fillRect(x(state.cursor), 4, 1, r.ranks * pitch);
}

function drawLinkTables() {
  const cell = (r, i) => (rank) => {
    const row = r.resources.rows[i],
      mean = row.percent[rank].reduce((a, b) => a + b, 0) / Math.max(1, row.percent[rank].length);
    return `${formatBytes(row.bytes[rank])}, ${mean.toFixed(1)}%, at most ${Math.max(...row.percent[rank])}%`;
  };
  byId('link-tables').replaceChildren(
    ...report.results
      .filter((r) => r.resources)
      .map((r) =>
        el(
          'div',
          {class: 'scroll'},
          table(
            [
              {name: 'Rank', get: String},
              ...r.resources.rows.map((row, i) => ({
                name: row.name,
                unit: `bytes, mean and fullest slice of ${formatRate(row.bytes_per_s)}`,
                get: cell(r, i),
              })),
            ],
            Array.from({length: r.ranks}, (_, rank) => rank),
            {caption: r.label},
          ),
        ),
      ),
  );
}
