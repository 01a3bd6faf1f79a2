// Reads the Mermaid graphs of `cargo xtask exports` with Mermaid's own parser, which wants a page around it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { JSDOM } from 'jsdom';

const { window } = new JSDOM('');
globalThis.window = window;
globalThis.document = window.document;
const { default: mermaid } = await import('mermaid');

const decoded = (text) => text.replace(/ﬂ°°(\d+)¶ß/g, (_, code) => String.fromCodePoint(Number(code)));
const made = process.argv[2];
let graphs = 0;
for (const story of readdirSync(made)) {
  for (const name of readdirSync(join(made, story)).filter((name) => name.endsWith('.mermaid'))) {
    const text = readFileSync(join(made, story, name), 'utf8');
    const graphml = readFileSync(join(made, story, name.replace('.mermaid', '.graphml')), 'utf8');
    await mermaid.parse(text);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    const nodes = [...db.getVertices().values()];
    const counts = [nodes.length, db.getEdges().length];
    const expected = [graphml.split('<node ').length - 1, graphml.split('<edge ').length - 1];
    if (counts.join() !== expected.join()) throw new Error(`${story}/${name}: ${counts}, not ${expected}`);
    if (story === 'hostile' && !nodes.some((node) => decoded(node.text).includes('"<b>&#quot;')))
      throw new Error(`${story}/${name}: hostile text is not text`);
    graphs += 1;
  }
}
if (graphs === 0) throw new Error('there is nothing to read');
console.log(`mermaid: ${graphs} graphs have the nodes and edges of the GraphML`);
