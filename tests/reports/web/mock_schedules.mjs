// Orders of actions for the mock data: 1F1B, ZB1P, DualPipe and a single rank.

export const KIND = {F: 0, I: 1, W: 2, B: 3, FB: 4};

// Stages in model order, and how many directions micro-batches travel in.
export function stagePlacement(schedule, ranks) {
  return schedule === 'dualpipe' ? {length: 2 * ranks, directions: 2} : {length: ranks, directions: 1};
}

const act = (kind, stage, microbatch) => ({kind, stage, microbatch});

function oneForwardOneBackward(rank, ranks, count) {
  const list = [],
    warm = Math.min(count, ranks - rank - 1);
  for (let m = 0; m < warm; m++) list.push(act(KIND.F, rank, m));
  for (let m = 0; m < count - warm; m++) list.push(act(KIND.F, rank, m + warm), act(KIND.B, rank, m));
  for (let m = count - warm; m < count; m++) list.push(act(KIND.B, rank, m));
  return list;
}

// As 1F1B, but the weight gradient is put off by as many micro-batches as the rank is deep.
function zeroBubble(rank, ranks, count) {
  const list = [],
    warm = Math.min(count, ranks - rank - 1);
  let weight = 0;
  for (let m = 0; m < warm; m++) list.push(act(KIND.F, rank, m));
  for (let m = 0; m < count; m++) {
    if (m + warm < count) list.push(act(KIND.F, rank, m + warm));
    list.push(act(KIND.I, rank, m));
    if (m >= rank) list.push(act(KIND.W, rank, weight++));
  }
  while (weight < count) list.push(act(KIND.W, rank, weight++));
  return list;
}

// Two directions: micro-batches of the second half enter at the last rank. The eight phases of DualPipe.
function dualPipe(rank, ranks, count) {
  const half = ranks / 2,
    mirrored = Math.min(rank, ranks - 1 - rank),
    list = [],
    put = [];
  const flip = rank >= half ? 1 : 0;
  const next = {F: [0, 0], B: [0, 0]};
  const stage = (d) => (d === 0 ? rank : ranks - 1 - rank);
  const take = (what, phase) => {
    const d = phase ^ flip;
    return [stage(d), d * (count / 2) + next[what][d]++];
  };
  const F = (phase) => list.push(act(KIND.F, ...take('F', phase)));
  const B = (phase) => list.push(act(KIND.B, ...take('B', phase)));
  const I = (phase) => {
    const [s, m] = take('B', phase);
    list.push(act(KIND.I, s, m));
    put.push(act(KIND.W, s, m));
  };
  const W = () => {
    if (put.length) list.push(put.shift());
  };
  const FB = (f, b) => {
    const [s, m] = take('F', f),
      [bs, bm] = take('B', b);
    list.push({...act(KIND.FB, s, m), backward_stage: bs, backward_microbatch: bm});
  };
  const rest = half - mirrored - 1;
  for (let i = 0; i < 2 * rest; i++) F(0);
  for (let i = 0; i < mirrored + 1; i++) {
    F(0);
    F(1);
  }
  for (let i = 0; i < rest; i++) {
    I(1);
    W();
    F(1);
  }
  for (let i = 0; i < count / 2 - ranks + mirrored + 1; i++) {
    if (i === 0 && mirrored === half - 1) {
      F(0);
      B(1);
    } else {
      FB(0, 1);
    }
    FB(1, 0);
  }
  for (let i = 0; i < rest; i++) {
    B(1);
    FB(1, 0);
  }
  for (let i = 0; i < mirrored + 1; i++) {
    const late = i >= (mirrored + 1) / 2;
    if (late) {
      I(1);
      I(0);
    } else {
      B(1);
      B(0);
    }
  }
  for (let i = 0; i < rest; i++) {
    W();
    I(0);
  }
  while (put.length) W();
  return list;
}

export function buildOrder(schedule, ranks, count) {
  const one = {
    '1f1b': oneForwardOneBackward,
    solo: oneForwardOneBackward,
    zb1p: zeroBubble,
    dualpipe: dualPipe,
  }[schedule];
  if (!one) throw new Error('no schedule ' + schedule);
  return Array.from({length: ranks}, (_, r) => one(r, ranks, count));
}
