// Drives a headless Chromium over its debugging pipe: enough to open a page, act in it, and take pictures.

import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-sync',
  '--disable-background-networking',
  '--disable-component-update',
  '--remote-debugging-pipe',
  '--hide-scrollbars',
];

export class Browser {
  constructor(program = process.env.CHROMIUM || 'chromium') {
    this.home = mkdtempSync(join(tmpdir(), 'report-'));
    this.child = spawn(program, [...FLAGS, '--user-data-dir=' + this.home, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.waiting = new Map();
    this.said = '';
    this.child.stdio[2].on('data', (chunk) => {
      this.said = (this.said + chunk).slice(-2000);
    });
    this.child.on('error', (error) => this.gone(error.message));
    this.child.on('exit', (code, signal) => this.gone(`exited with ${code ?? signal}`));
    // A pipe breaks when the browser goes: its exit says why.
    for (const pipe of [3, 4]) this.child.stdio[pipe].on('error', () => {});
    this.messages = []; // console errors and exceptions of the page
    this.requests = []; // every address that the page asked for, its own first
    this.next = 1;
    let rest = '';
    this.child.stdio[4].on('data', (chunk) => {
      const parts = (rest + chunk).split('\0');
      rest = parts.pop();
      parts.forEach((text) => this.receive(JSON.parse(text)));
    });
  }

  // Whoever waits for an answer learns that there will be none.
  gone(why) {
    for (const {reject} of this.waiting.values())
      reject(new Error(`the browser ${why}; it said:\n${this.said}`));
    this.waiting.clear();
  }

  receive(message) {
    if (message.id) {
      const {resolve, reject} = this.waiting.get(message.id);
      this.waiting.delete(message.id);
      return message.error ? reject(new Error(message.error.message)) : resolve(message.result);
    }
    const p = message.params;
    if (message.method === 'Network.requestWillBeSent') this.requests.push(p.request.url);
    if (message.method === 'Runtime.exceptionThrown')
      this.messages.push(p.exceptionDetails.exception?.description || p.exceptionDetails.text);
    if (message.method === 'Runtime.consoleAPICalled' && ['error', 'warning'].includes(p.type))
      this.messages.push(p.args.map((a) => a.value ?? a.description).join(' '));
    if (message.method === 'Log.entryAdded' && ['error', 'warning'].includes(p.entry.level))
      this.messages.push(p.entry.text);
  }

  send(method, params = {}) {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, {resolve, reject});
      this.child.stdio[3].write(JSON.stringify({id, method, params, sessionId: this.session}) + '\0');
    });
  }

  async open(url, {width = 1440, height = 1000, scale = 1, dark = false, still = true} = {}) {
    if (!this.session) {
      const {targetId} = await this.send('Target.createTarget', {url: 'about:blank'});
      this.session = (await this.send('Target.attachToTarget', {targetId, flatten: true})).sessionId;
      for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await this.send(domain + '.enable');
    }
    await this.size(width, height, scale);
    await this.send('Emulation.setEmulatedMedia', {
      features: [
        {name: 'prefers-color-scheme', value: dark ? 'dark' : 'light'},
        {name: 'prefers-reduced-motion', value: still ? 'reduce' : 'no-preference'},
      ],
    });
    await this.send('Page.navigate', {url: 'about:blank'});
    await this.send('Page.navigate', {url});
    for (let i = 0; i < 300; i++) {
      const state = await this.evaluate('document.documentElement?.dataset.rendered || ""');
      if (state) {
        await this.evaluate('new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f)))');
        return state;
      }
      await new Promise((f) => setTimeout(f, 100));
    }
    return 'not rendered';
  }

  size(width, height, scale = 1) {
    return this.send('Emulation.setDeviceMetricsOverride', {
      width,
      height,
      deviceScaleFactor: scale,
      mobile: false,
    });
  }

  async evaluate(expression) {
    const {result, exceptionDetails} = await this.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description || exceptionDetails.text);
    return result.value;
  }

  mouse(type, x, y, more = {}) {
    return this.send('Input.dispatchMouseEvent', {
      type,
      x,
      y,
      button: type === 'mouseMoved' && !more.buttons ? 'none' : 'left',
      clickCount: 1,
      ...more,
    });
  }

  async click(x, y, more) {
    await this.mouse('mouseMoved', x, y);
    await this.mouse('mousePressed', x, y, more);
    await this.mouse('mouseReleased', x, y, more);
  }

  key(key) {
    const send = (type) =>
      this.send('Input.dispatchKeyEvent', {
        type,
        key,
        text: type === 'keyDown' && key.length === 1 ? key : undefined,
      });
    return send('keyDown').then(() => send('keyUp'));
  }

  // The whole page, or the given clip {x, y, width, height}.
  async picture(file, clip) {
    const {data} = await this.send('Page.captureScreenshot', {
      captureBeyondViewport: !clip?.inside,
      clip: {
        ...(clip ||
          (await this.evaluate(
            '({x: 0, y: 0, width: innerWidth, height: document.documentElement.scrollHeight})',
          ))),
        scale: 1,
      },
    });
    writeFileSync(file, Buffer.from(data, 'base64'));
  }

  async close() {
    await this.send('Browser.close').catch(() => {});
    await new Promise((f) => {
      if (this.child.exitCode !== null) f();
      else this.child.once('exit', f);
    });
    rmSync(this.home, {recursive: true, force: true});
  }
}
