// A report page opened in a browser: it draws itself, complains of nothing, asks the network for
// nothing, and shows what it should.

import {check} from './checks.mjs';

export async function opens(browser, name, {file, labels}, options) {
  browser.requests.length = browser.messages.length = 0;
  const state = await browser.open('file://' + file, options);
  check(`${name}: draws itself`, state === 'ok', state);
  check(`${name}: nothing on the console`, browser.messages.length === 0, browser.messages.join(' | '));
  const outside = browser.requests.filter((url) => url !== 'file://' + file && !/^(about|data):/.test(url));
  check(`${name}: no request`, browser.requests.length > 0 && outside.length === 0, outside.join(' '));
  const wide = await browser.evaluate('document.documentElement.scrollWidth - innerWidth');
  check(`${name}: does not scroll sideways`, wide <= 0, wide > 0 ? `${wide} px too wide` : '');
  const text = await browser.evaluate('document.body.innerText');
  const absent = labels.filter((s) => !text.includes(s));
  check(`${name}: names every schedule`, absent.length === 0, absent.join(', '));
  check(`${name}: no NaN or undefined`, !/\b(NaN|undefined|Infinity)\b/.test(text));
  const background = await browser.evaluate('getComputedStyle(document.body).backgroundColor');
  const [red] = background.match(/\d+/g).map(Number);
  check(`${name}: ${options.dark ? 'dark' : 'light'}`, options.dark ? red < 80 : red > 175, background);
  const drawn = await browser.evaluate(`(() => {
    const c = byId('gantt-canvas'), p = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
    const colours = new Set();
    for (let i = 0; i < p.length; i += 4000) colours.add(p[i] + ',' + p[i + 1] + ',' + p[i + 2]);
    return colours.size;
  })()`);
  check(`${name}: the timeline has colours`, drawn >= 4, `${drawn} colours`);
}
