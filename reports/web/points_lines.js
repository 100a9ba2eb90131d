// A figure over one field, a line for each value of another, and where the lines cross.

const LINE_COLOURS = ['forward', 'critical', 'weight', 'attention', 'dependency', 'message', 'drain', 'optimizer'];
const MOST_LINES = 24;

function seriesOf() {
  const {x, y, figure} = shownFields(),
    at = gridOf(x, y, figure);
  return (y ? y.values : ['']).slice(0, MOST_LINES).map((name, i) => ({
    name,
    colour: `var(--${LINE_COLOURS[i % LINE_COLOURS.length]})`,
    shape: MARKS[i % 4],
    points: x.values
      .map((xv, place) => ({p: at(xv, name), x: x.numeric ? Number(xv) : place, text: xv}))
      .filter((place) => place.p),
  }));
}

function drawLines(width) {
  const {x, y, figure} = shownFields(),
    series = seriesOf(),
    drawn = series.flatMap((s) => s.points.filter((at) => at.p.status !== REFUSED));
  const refused = series.flatMap((s) => s.points.filter((at) => at.p.status === REFUSED));
  const xs = x.values.map(Number);
  const plot = new Plot(
    width,
    380,
    x.numeric ? {range: roomy(xs), name: x.name, text: (v) => formatPlain(v)} : {names: x.values, name: x.name},
    {range: roomy(drawn.map((at) => at.p[figure.key])), name: figure.name, text: figure.text, unit: figure.unit},
  );
  for (const s of series) drawSeries(plot, s, figure);
  // Refused points have no figure: they stand on the axis.
  for (const at of refused)
    plot.mark(at.x, plot.axes.y.range[0], {...markOf(at), shape: 'cross', class: 'mark refused'});
  byId('map-scale').replaceChildren(
    ...(y ? series.map((s) => el('span', {class: 'series'}, legendMark(s), s.name)) : []),
  );
  byId('map-note').textContent =
    noteOfShown() +
    (refused.length ? ' × on the axis: refused.' : '') +
    (drawn.some((at) => at.p.status === TOO_LARGE) ? ' Hollow: does not fit in memory.' : '') +
    (y && y.values.length > MOST_LINES ? ` Only the first ${MOST_LINES} lines are drawn; the table has all.` : '');
  byId('crossings').textContent = crossings(series, x, figure).join(' ');
  return plot.svg;
}

const formatPlain = (v) => (Number.isInteger(v) && Math.abs(v) < 1e6 ? String(v) : formatCount(v));

const markOf = ({p}) => ({
  label: pointTitle(p) + ': ' + (p.status === REFUSED ? 'refused' : FIGURES[state.figure].text(p[FIGURES[state.figure].key])),
  tip: () => pointTip(p),
  choose: () => setState({selected: p.index}),
});

function legendMark(s) {
  return svgEl(
    'svg',
    {width: 22, height: 12, 'aria-hidden': 'true'},
    svgEl('path', {d: 'M0 6h22', class: 'line', style: `stroke:${s.colour}`}),
    svgEl('path', {d: markPath(s.shape, 11, 6, 4), style: `fill:${s.colour}`}),
  );
}

function drawSeries(plot, s, figure) {
  const known = s.points.filter((at) => at.p.status !== REFUSED);
  const path = known.map((at, i) => `${i ? 'L' : 'M'}${plot.x(at.x)} ${plot.y(at.p[figure.key])}`).join('');
  plot.add('path', {d: path || 'M0 0', class: 'line', style: `stroke:${s.colour}`});
  for (const at of known)
    plot.mark(at.x, at.p[figure.key], {
      ...markOf(at),
      shape: s.shape,
      class: 'mark' + (at.p.status === TOO_LARGE ? ' hollow' : '') + (at.p.index === state.selected ? ' chosen' : ''),
      style: `fill:${at.p.status === TOO_LARGE ? 'var(--bg)' : s.colour};stroke:${s.colour}`,
    });
}

// Between two neighbouring values of the field the better of two lines becomes the worse one.
function crossings(series, x, figure) {
  const found = [];
  const value = (s, text) => {
    const at = s.points.find((one) => one.text === text);
    return at && at.p.status !== REFUSED ? figure.better * at.p[figure.key] : NaN;
  };
  for (let a = 0; a < series.length; a++)
    for (let b = a + 1; b < series.length; b++)
      for (let k = 1; k < x.values.length; k++) {
        const [from, to] = [x.values[k - 1], x.values[k]];
        const before = value(series[a], from) - value(series[b], from),
          after = value(series[a], to) - value(series[b], to);
        if (!(before * after < 0)) continue;
        const [up, down] = after > 0 ? [a, b] : [b, a];
        found.push(`${series[up].name} overtakes ${series[down].name} between ${x.name} ${from} and ${to}.`);
      }
  return found.length > 12 ? [...found.slice(0, 12), `And ${found.length - 12} crossings more.`] : found;
}
