// How a page keeps what the reader has chosen: in `state`, which each kind of page defines beside `hashText`.
// It lives in the URL hash, so a view can be shared as a link; parts of the page listen for the keys they draw.

const listeners = [];

function listen(keys, work) {
  listeners.push({keys, work});
}

function setState(change) {
  const changed = Object.keys(change).filter((k) => state[k] !== change[k]);
  if (!changed.length) return;
  Object.assign(state, change);
  for (const {keys, work} of listeners) if (keys.some((k) => changed.includes(k))) work(changed);
  if (changed.some((k) => k !== 'cursor')) writeHashSoon();
}

let hashTimer = 0;
function writeHashSoon() {
  clearTimeout(hashTimer);
  hashTimer = setTimeout(() => {
    // replaceState is refused in some sandboxes (an attachment viewer); the page works without it.
    try {
      history.replaceState(null, '', '#' + hashText());
    } catch (error) {
      return;
    }
  }, 200);
}

// The hash's entries; what is malformed or out of range is ignored by who reads them: a link may come from
// another report.
const hashEntries = () =>
  new Map(
    location.hash
      .slice(1)
      .split('&')
      .map((p) => p.split('='))
      .filter((p) => p.length === 2),
  );
