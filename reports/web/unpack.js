// The data block as the binary writes it (reports/packed.h): base64 of deflate of JSON, in which a column may
// be {n, d}: element i is d[i] plus element i - n. A block that is plain JSON is taken as it is.

async function inflated(text) {
  if (text.startsWith('{')) return text;
  if (typeof DecompressionStream === 'undefined')
    throw new Error(
      'its data is compressed, and this browser is too old to read it; ' +
        'Chromium and Edge from 80, Firefox from 113 and Safari from 16.4 can',
    );
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Response(stream).text();
}

function sums({n, d}) {
  for (let i = n; i < d.length; i++) d[i] += d[i - n];
  return d;
}

function unpacked(value) {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    // Lists of plain numbers or texts are left alone: most of the data is in them.
    return typeof value[0] === 'object' ? value.map(unpacked) : value;
  }
  if (Array.isArray(value.d) && value.n > 0) return sums(value);
  for (const key of Object.keys(value)) value[key] = unpacked(value[key]);
  return value;
}

const readData = async (text) => unpacked(JSON.parse(await inflated(text.trim())));
