// Writes realistic report data (format pipescope-report/1) to stdout, so that the page can be looked at and
// tested without the simulator. The model is deliberately simple: fixed durations per stage with a small
// deterministic variation, ranks in order, one latency per hop.
//
//   node make_mock.mjs [--ranks 16] [--micro-batches 120] [--schedules 1f1b,zb1p,dualpipe] [--hostile]
//
// --hostile puts markup, quotes and very long words into every name that comes from a user.

import {OP_KINDS, OP_NAMES} from './mock_operations.mjs';
import {KIND} from './mock_schedules.mjs';
import {column, criticalPath, GAP_CAUSES, GIB, memoryOf, timelineOf} from './mock_timeline.mjs';

const option = (name, fallback) => {
  const at = process.argv.indexOf('--' + name);
  return at < 0 ? fallback : process.argv[at + 1];
};
const ranks = Number(option('ranks', 16));
const microBatches = Number(option('micro-batches', 120));
const schedules = option('schedules', '1f1b,zb1p,dualpipe').split(',');
const hostile = process.argv.includes('--hostile');

const LABELS = {'1f1b': '1F1B', zb1p: 'ZB1P', dualpipe: 'DualPipe', solo: 'No pipeline'};
const EXPLAIN = {
  'warm-up': 'ranks wait for their first micro-batch to come down the pipeline',
  drain: 'ranks have finished and wait for the others',
  dependency: 'the input of the next action was not computed yet',
  communication: 'the input was ready and on its way over the network',
  imbalance: 'a slower stage upstream (embedding, head, dense layers) sets the pace',
};

function resultOf(schedule) {
  const t = timelineOf(schedule, ranks, microBatches),
    memory = memoryOf(t, schedule);
  const seconds = (kind) =>
    t.actions.filter((a) => a.kind === kind).reduce((s, a) => s + a.end - a.start, 0) / ranks / 1e9;
  const bubbles = Array(ranks).fill(0);
  const byCause = Array(5).fill(0);
  t.gaps.rank.forEach((r, i) => {
    bubbles[r] += t.gaps.dur_ns[i] / 1e9;
    byCause[t.gaps.cause[i]] += t.gaps.dur_ns[i] / 1e9 / ranks;
  });
  const total = byCause.reduce((a, b) => a + b, 0);
  const step = t.end / 1e9,
    tokens = microBatches * 4096 * 16;
  const B = seconds(KIND.B);
  const breakdown = {
    forward: seconds(KIND.F),
    backward_input: seconds(KIND.I) + B * 0.55,
    backward_weight: seconds(KIND.W) + B * 0.45,
    overlapped: seconds(KIND.FB),
    bubble: total,
    optimizer: ((t.end - t.lastEnd) / 1e9) * 0.6,
    exposed_communication: ((t.end - t.lastEnd) / 1e9) * 0.4,
  };
  const evil = hostile ? ' <img src=x onerror=document.title=1> "&\' ' + 'wordwithoutend'.repeat(6) : '';
  return {
    schedule,
    label: LABELS[schedule] + evil,
    step_time_s: step,
    tokens_per_second: tokens / step,
    tokens_per_day: (tokens / step) * 86400,
    mfu: {causal: (0.86 / step) * 1.1, non_causal: (0.86 / step) * 1.35},
    bubble: {makespan_rate: total / (t.lastEnd / 1e9), per_rank_s: bubbles},
    breakdown_s: breakdown,
    attribution: GAP_CAUSES.map((kind, i) => ({
      kind,
      seconds: byCause[i],
      share: total > 0 ? byCause[i] / total : 0,
      explain: EXPLAIN[kind] + evil,
    })),
    communication: {
      compute_to_communication: 1.07,
      hidden_share: schedule === 'dualpipe' ? 0.94 : 0.31,
      busy_s: step * 0.4,
      exposed_s: step * 0.4 * (schedule === 'dualpipe' ? 0.06 : 0.69),
    },
    memory_bytes: memory.table,
    bound_by: schedule === 'dualpipe' ? 'compute: experts' : 'exposed expert dispatch',
    timeline: {
      ranks,
      end_ns: t.end,
      lanes: ['compute', 'communication', 'pipeline', 'gradient'],
      op_names: OP_NAMES.map((n, i) => (i === 1 ? n + evil : n)),
      op_kinds: OP_KINDS,
      shapes: t.shapes.list,
      actions: {
        rank: column(t.actions, (a) => a.rank),
        start_ns: column(t.actions, (a) => a.start),
        dur_ns: column(t.actions, (a) => a.end - a.start),
        kind: column(t.actions, (a) => a.kind),
        stage: column(t.actions, (a) => a.stage),
        microbatch: column(t.actions, (a) => a.microbatch),
        backward_stage: column(t.actions, (a) => a.backward_stage ?? -1),
        backward_microbatch: column(t.actions, (a) => a.backward_microbatch ?? -1),
        shape: column(t.actions, (a) => a.shape),
        wait: column(t.actions, (a) => a.wait),
        released_by: column(t.actions, (a) => (a.released ? a.released.index : -1)),
      },
      messages: {
        from: column(t.messages, (m) => m.from),
        to: column(t.messages, (m) => m.to),
        start_ns: column(t.messages, (m) => m.start),
        dur_ns: column(t.messages, (m) => m.dur),
        stage: column(t.messages, (m) => m.stage),
        microbatch: column(t.messages, (m) => m.microbatch),
        backward: column(t.messages, (m) => m.backward),
      },
      step_ops: t.tail.columns,
      gaps: t.gaps,
      gap_causes: GAP_CAUSES,
      memory: memory.curves,
      critical_path: criticalPath(t),
    },
  };
}

const results = schedules.map(resultOf);
const best = results.reduce((a, b) => (b.step_time_s < a.step_time_s ? b : a));
const percent = (x) => (100 * x).toFixed(1) + '%';
const evil = hostile ? ' </script><img src=x onerror=document.title=1>' + 'longname'.repeat(12) : '';
process.stdout.write(
  JSON.stringify({
    format: 'pipescope-report/1',
    title: 'DeepSeek-V3 on 2048 H800' + evil,
    subtitle: `deepseek-v3 (671 B) · h800-ib 256 nodes × 8 GPUs · ${ranks} pipeline ranks × 128 data parallel · 64 experts parallel${evil}`,
    command:
      `pipescope compare experiments/v3.yaml --schedules ${schedules.join(',')} --html report.html` + evil,
    version: 'pipescope 0.1.0 (mock data)',
    verdict:
      `${best.label} is the fastest of ${results.length}: ${best.step_time_s.toFixed(3)} s a step at a bubble of ${percent(best.bubble.makespan_rate)}. ` +
      `It is bound by ${best.bound_by}; the next thing to change is the expert GEMM.`,
    highlights: [
      {label: 'Step time', value: best.step_time_s.toFixed(3) + ' s', note: best.label},
      {
        label: 'Throughput',
        value: (best.tokens_per_second / 1e6).toFixed(2) + ' M tokens/s',
        note: (best.tokens_per_day / 1e9).toFixed(0) + ' B tokens a day',
      },
      {
        label: 'MFU',
        value: percent(best.mfu.causal),
        note: 'causal; ' + percent(best.mfu.non_causal) + ' non-causal',
      },
      {
        label: 'Bubble',
        value: percent(best.bubble.makespan_rate),
        note: 'of the pipeline’s span, mean over ranks',
      },
      {
        label: 'Hidden communication',
        value: percent(best.communication.hidden_share),
        note: 'of the time the network is busy',
      },
      {
        label: 'Peak memory',
        value: (Math.max(...best.memory_bytes.map((m) => m.total_peak)) / GIB).toFixed(1) + ' GiB',
        note: 'of 80.0 GiB, worst rank',
      },
    ],
    assumptions: [
      {name: 'BF16 tensor peak', value: '989 TFLOP/s', source: 'vendor data sheet'},
      {name: 'FP8 GEMM efficiency', value: '0.71 of peak', source: 'profile.json, measured'},
      {name: 'NIC bandwidth', value: '400 Gb/s a GPU', source: 'topology h800-ib'},
      {name: 'NVLink bandwidth', value: '160 GB/s effective', source: 'topology h800-ib'},
      {name: 'SMs for communication', value: '20 of 132', source: 'experiment.yaml:14'},
      {name: 'Routing', value: 'balanced, at most 4 nodes a token', source: 'model deepseek-v3' + evil},
      {name: 'Hop latency', value: '210 µs', source: 'topology h800-ib'},
    ],
    results,
  }).replaceAll('<', '\\u003c'),
);
