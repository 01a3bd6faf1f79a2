// A case whose every text of a log is an attack: nothing of it runs, loads, or moves what stands around it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LOOKS, at, given, overflowing, reading, views } from './browser.mjs';

/** Nodes, findings and incidents that are opened besides the views. */
const OPENED = 12;

/** What only a page of ours may hold, and where its frame stands. */
function frame(page) {
  return page.evaluate(() => {
    const place = (selector) => {
      const box = document.querySelector(selector)?.getBoundingClientRect();
      return box && [Math.round(box.left), Math.round(box.top)];
    };
    const foreign = 'iframe, object, embed, base, main img, script:not([src^="/script/"]), main style, main link, main meta, [onerror], [onload]';
    const links = [...document.querySelectorAll('a[href]')].map((a) => a.getAttribute('href'));
    return {
      places: { nav: place('header nav'), h1: place('h1') },
      foreign: [...document.querySelectorAll(foreign)].map((node) => node.outerHTML.slice(0, 100)),
      away: links.filter((link) => !/^([/#?][^/]|https:\/\/attack\.mitre\.org\/techniques\/T[\d./]+$)/.test(link)),
      title: document.title,
    };
  });
}

/** Addresses one step away from the views, a few of each kind. */
async function deeper(page, known) {
  const found = new Set();
  for (const path of known) {
    await page.goto(at(given.hostile, path));
    const links = await page.locator('main a[href^="/"]').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
    const kinds = new Map();
    for (const link of links.filter((one) => !/\.(csv|jsonl)|\.svg/.test(one))) {
      const kind = link.split('/')[1].split('?')[0];
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      if (kinds.get(kind) <= OPENED) found.add(link);
    }
  }
  return found;
}

for (const look of LOOKS.filter(({ name }) => name.endsWith('light'))) {
  test(`hostile text at ${look.name} runs nothing, loads nothing, moves nothing`, async () => {
    const places = new Map();
    await reading(given.story, look.options, async (page) => {
      for (const [name, path] of await views(page)) {
        // Nobody makes a plan for the hostile case.
        if (['plan', 'step'].includes(name)) continue;
        await page.goto(at(given.story, path));
        places.set(name, (await frame(page)).places);
      }
    });
    await reading(given.hostile, look.options, async (page) => {
      const known = await views(page);
      assert.deepEqual([...known.keys()], [...places.keys()], 'the hostile case has the same views');
      const looked = async (path) => {
        await page.goto(at(given.hostile, path));
        const seen = await frame(page);
        assert.deepEqual([seen.foreign, seen.away], [[], []], path);
        assert.match(seen.title, / · Unchain$/);
        assert.equal(await page.evaluate(() => window.__pwned), undefined, path);
        assert.deepEqual(await overflowing(page), [], path);
        return seen;
      };
      for (const [name, path] of known) {
        const { places: here } = await looked(path);
        assert.deepEqual(here, places.get(name), `the frame of ${name} stands where it stands elsewhere`);
      }
      const more = await deeper(page, known.values());
      assert.ok(more.size > OPENED, `${more.size} addresses`);
      for (const path of more) await looked(path);
      console.log(`${known.size + more.size} hostile pages at ${look.name}`);
    });
  });
}

test('a hostile report runs nothing and loads nothing', async () => {
  for (const { options } of LOOKS.filter(({ name }) => name.endsWith('light'))) {
    await reading(`file://${given.hostile_report}`, options, async (page) => {
      const foreign = 'iframe, object, embed, img, script, link[rel=stylesheet], base, form, [onerror], [onload]';
      assert.equal(await page.locator(foreign).count(), 0);
      assert.match(await page.locator('body').innerText(), /<script>window\.__pwned=1/);
      assert.deepEqual(await overflowing(page), []);
    });
  }
});
