// What the reader has chosen in the page of steps.

const state = {
  start: 0,
  end: 1, // visible time, ns
  selection: null, // {result, action, backward}
  range: null, // [start, end] ns
  critical: false,
  messages: false,
  gaps: false,
  cause: -1,
  lanes: 'auto',
  memoryRank: -1,
  resource: 0, // of the heatmap
  fabric: -1, // result whose use colours the fabric; -1: the best
  link: -1, // class of links that is chosen
  theme: '',
  cursor: null, // time under the pointer, ns; not kept in the hash
};
let fullEnd = 1; // the longest step, ns: the common axis

// Keeps the window inside the step and no narrower than a microsecond.
function setWindow(start, end) {
  const width = clamp(end - start, Math.min(1000, fullEnd), fullEnd);
  const middle = (start + end) / 2;
  const from = clamp(middle - width / 2, 0, fullEnd - width);
  setState({start: from, end: from + width});
}

function zoomAround(factor, at) {
  const width = clamp((state.end - state.start) * factor, Math.min(1000, fullEnd), fullEnd);
  const share = (at - state.start) / (state.end - state.start);
  setWindow(at - share * width, at + (1 - share) * width);
}

const panBy = (ns) => {
  const width = state.end - state.start,
    from = clamp(state.start + ns, 0, fullEnd - width);
  setState({start: from, end: from + width});
};

function hashText() {
  const parts = [];
  if (state.start > 0 || state.end < fullEnd)
    parts.push(`z=${Math.round(state.start)}-${Math.round(state.end)}`);
  const s = state.selection;
  if (s) parts.push(`sel=${s.result}.${s.action}.${s.backward ? 1 : 0}`);
  if (state.range) parts.push(`range=${state.range.map(Math.round).join('-')}`);
  const shown = (state.critical ? 'c' : '') + (state.messages ? 'm' : '') + (state.gaps ? 'g' : '');
  if (shown) parts.push('show=' + shown);
  if (state.cause >= 0) parts.push('cause=' + state.cause);
  if (state.lanes !== 'auto') parts.push('lanes=' + state.lanes);
  if (state.memoryRank >= 0) parts.push('rank=' + state.memoryRank);
  if (state.resource > 0) parts.push('resource=' + state.resource);
  if (state.fabric >= 0 && state.fabric !== report.best) parts.push('fabric=' + state.fabric);
  if (state.link >= 0) parts.push('link=' + state.link);
  if (state.theme) parts.push('theme=' + state.theme);
  return parts.join('&');
}

// Anything malformed or out of range in the hash is ignored: a link may come from another report.
function readHash(results) {
  const found = hashEntries();
  const pair = (name) => {
    const [a, b] = (found.get(name) || '').split('-').map(Number);
    return Number.isFinite(a) && Number.isFinite(b) && b > a ? [a, b] : null;
  };
  const change = {};
  const shown = found.get('show') || '';
  change.critical = shown.includes('c');
  change.messages = shown.includes('m');
  change.gaps = shown.includes('g');
  if (/^\d$/.test(found.get('cause') || '')) change.cause = Number(found.get('cause'));
  if (['on', 'off', 'auto'].includes(found.get('lanes'))) change.lanes = found.get('lanes');
  if (['light', 'dark'].includes(found.get('theme'))) change.theme = found.get('theme');
  if (/^\d+$/.test(found.get('rank') || '')) change.memoryRank = Number(found.get('rank'));
  if (/^\d$/.test(found.get('resource') || '')) change.resource = Number(found.get('resource'));
  for (const key of ['fabric', 'link'])
    if (/^\d{1,3}$/.test(found.get(key) || '')) change[key] = Number(found.get(key));
  const [result, action, backward] = (found.get('sel') || '').split('.').map(Number);
  if (results[result] && action >= 0 && action < results[result].actions.count) {
    change.selection = {result, action, backward: backward === 1};
  }
  if (pair('range')) change.range = pair('range');
  setState(change);
  if (pair('z')) setWindow(...pair('z'));
  else setWindow(0, fullEnd);
}
