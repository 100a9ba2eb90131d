// What the reader can take away: every action as CSV, all data as JSON, the timeline as a picture.

function actionsAsCsv() {
  const lines = ['schedule,rank,action,stage,microbatch,backward_stage,backward_microbatch,start_ns,duration_ns'];
  for (const r of report.results) {
    const a = r.actions,
      label = csvText(r.label),
      orNone = (n) => (n < 0 ? '' : n);
    for (let i = 0; i < a.count; i++)
      lines.push(
        [
          ...[label, a.rank[i], csvText(ACTION_NAMES[a.kind[i]]), a.stage[i], a.microbatch[i]],
          ...[orNone(a.backStage[i]), orNone(a.backMicrobatch[i]), a.start[i], a.dur[i]],
        ].join(','),
      );
  }
  return lines.join('\r\n') + '\r\n';
}

function listenExports() {
  byId('save-csv').onclick = () => download('actions.csv', new Blob([actionsAsCsv()], {type: 'text/csv'}));
  byId('save-json').onclick = () =>
    download('report.json', new Blob([JSON.stringify(report.raw)], {type: 'application/json'}));
  byId('save-picture').onclick = () => gantt.canvas.toBlob((blob) => download('timeline.png', blob));
}
