// Each view as it looks: a picture to look at, nothing wider than the window, and no barrier that axe knows.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { LOOKS, at, given, overflowing, planned, reading, views } from './browser.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds, each as a line. It does not judge contrast over shadows, so those are taken away first. */
async function barriers(page) {
  await page.locator('.scroll').evaluateAll((all) => all.forEach((node) => { node.style.background = 'none'; }));
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary}`));
}

/** A picture of all of a page, or of as much as anybody looks at. */
async function picture(page, name) {
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const { width } = page.viewportSize();
  const clip = { x: 0, y: 0, width, height: Math.min(height, 3000) };
  await page.screenshot({ path: join(given.screens, `${name}.png`), fullPage: true, clip });
}

for (const look of LOOKS) {
  test(`every view at ${look.name} can be read by everybody, and fits`, async (t) => {
    await reading(given.story, look.options, async (page) => {
      await planned(page);
      const all = await views(page);
      assert.ok(all.size >= 14, `views: ${[...all.keys()]}`);
      for (const [name, path] of all) {
        await t.test(name, async () => {
          await page.goto(at(given.story, path));
          await picture(page, `${name.replaceAll(' ', '-')}-${look.name}`);
          assert.deepEqual(await overflowing(page), [], `${name} is wider than the window`);
          assert.deepEqual(await barriers(page), [], name);
        });
      }
    });
  });

  test(`the report at ${look.name} can be read by everybody, and fits`, async () => {
    await reading(`file://${given.report}`, look.options, async (page) => {
      await picture(page, `report-${look.name}`);
      assert.deepEqual(await overflowing(page), []);
      assert.deepEqual(await barriers(page), []);
    });
  });
}
