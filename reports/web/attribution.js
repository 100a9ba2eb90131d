// Why the ranks wait: the bubble of each schedule split by cause. A click shows those gaps in the timeline.

function drawAttribution() {
  const {results} = report,
    longest = Math.max(...results.map(bubbleSeconds));
  fillLegend(
    'bubble-legend',
    CAUSES.map((cause) => [`var(--${cause})`, cause]),
  );
  if (!(longest > 0)) {
    byId('bubble-legend').replaceChildren();
    byId('bubble-bars').replaceChildren(el('p', {}, 'No rank ever waits: there is no bubble to explain.'));
    byId('bubble-list').replaceChildren();
    return;
  }
  byId('bubble-bars').replaceChildren(
    ...results.map((r) =>
      el(
        'div',
        {class: 'bar-row'},
        el('div', {class: 'bar-name', title: r.label}, r.label),
        el(
          'div',
          {class: 'track'},
          el(
            'div',
            {class: 'fillbar', style: `width:${(100 * bubbleSeconds(r)) / longest}%`},
            r.raw.attribution.filter((c) => c.seconds > 0).map((c) => causeSegment(r, c)),
          ),
        ),
        el(
          'div',
          {class: 'bar-value'},
          formatSeconds(bubbleSeconds(r)),
          el('small', {}, formatShare(bubbleSeconds(r) / r.raw.step_time_s) + ' of step'),
        ),
      ),
    ),
  );
  byId('bubble-list').replaceChildren(
    ...results.map((r, i) =>
      el(
        'details',
        i === report.best ? {open: true} : {},
        el('summary', {}, `${r.label}: ${formatSeconds(bubbleSeconds(r))} a rank`),
        el(
          'div',
          {},
          r.raw.attribution
            .slice()
            .sort((a, b) => b.seconds - a.seconds)
            .map(causeRow),
        ),
      ),
    ),
  );
}

const bubbleSeconds = (r) => r.raw.attribution.reduce((s, c) => s + c.seconds, 0);

function causeSegment(r, cause) {
  const node = el(
    'button',
    {
      type: 'button',
      class: 'segment',
      style: `width:${(100 * cause.seconds) / bubbleSeconds(r)}%;background:var(--${cause.kind});color:${inkOn(palette.get(cause.kind) || '#888888')}`,
      'aria-label': `${r.label}, ${cause.kind}: ${formatSeconds(cause.seconds)}. Show in the timeline`,
      onclick: () => showCause(cause.kind),
    },
    cause.share > 0.09 ? formatShare(cause.share) : null,
  );
  withTooltip(node, () => [
    el('strong', {}, cause.kind),
    factList([
      ['Mean over ranks', formatSeconds(cause.seconds)],
      ['Of the bubble', formatShare(cause.share)],
      ['Why', cause.explain],
    ]),
    el('div', {class: 'note'}, 'Click to see these gaps in the timeline.'),
  ]);
  return node;
}

function causeRow(cause) {
  return el(
    'div',
    {class: 'cause'},
    swatch(`var(--${cause.kind})`),
    el('span', {}, cause.kind),
    el('span', {class: 'number'}, formatSeconds(cause.seconds)),
    el('span', {class: 'number'}, formatShare(cause.share)),
    el('span', {class: 'explain'}, cause.explain),
    cause.seconds > 0
      ? el(
          'button',
          {type: 'button', class: 'link', onclick: () => showCause(cause.kind)},
          'Show in timeline',
        )
      : el('span'),
  );
}

function showCause(kind) {
  setState({gaps: true, cause: CAUSES.indexOf(kind), selection: null});
  byId('timeline').scrollIntoView({block: 'start'});
}
