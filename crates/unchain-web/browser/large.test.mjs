// A large case: how long a reader waits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, given, reading, views } from './browser.mjs';

/** What the project promises is 2 s; a busy machine and a build without optimisation get ten times that. */
const PATIENCE = 20_000;

/** Elements of one page, beyond which a browser becomes slow. */
const ELEMENTS = 30_000;

test(`a case of ${given.credentials} credentials opens`, async () => {
  await reading(given.large, {}, async (page) => {
    const all = await views(page);
    for (const round of ['first', 'again']) {
      for (const [name, path] of all) {
        await page.goto(at(given.large, path, round === 'first' ? '2026-03-05T12:00:00Z' : undefined));
        const { ms, elements } = await page.evaluate(() => ({
          ms: Math.round(performance.getEntriesByType('navigation')[0].loadEventEnd),
          elements: document.querySelectorAll('*').length,
        }));
        console.log(`${name}, ${round}: ${ms} ms, ${elements} elements`);
        assert.ok(ms < PATIENCE, `${name} took ${ms} ms`);
        assert.ok(elements < ELEMENTS, `${name} has ${elements} elements`);
      }
    }
  });
});

test('the drawing of a large lineage is moved without a new layout', async () => {
  await reading(given.large, {}, async (page) => {
    await page.goto(at(given.large, '/lineage'));
    const roots = page.locator('h2', { hasText: 'Roots' }).locator('~ .scroll a[href*="/lineage"]');
    await page.goto(at(given.large, await roots.first().getAttribute('href')));
    const cards = await page.locator('.card').count();
    const canvas = await page.locator('.canvas.live').boundingBox();
    const [x, y] = [canvas.x + canvas.width / 2, canvas.y + canvas.height / 2];
    const metrics = await page.context().newCDPSession(page);
    await metrics.send('Performance.enable');
    const layouts = async () => (await metrics.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'LayoutCount').value;
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x - 5, y - 5);
    await page.evaluate(() => {
      window.frames_ = [];
      const next = (time) => { window.frames_.push(time); requestAnimationFrame(next); };
      requestAnimationFrame(next);
    });
    const before = await layouts();
    for (let step = 1; step <= 60; step += 1) await page.mouse.move(x - 5 - step * 3, y - 5 - step);
    const after = await layouts();
    await page.mouse.up();
    const times = await page.evaluate(() => window.frames_);
    const gaps = times.slice(1).map((time, place) => time - times[place]);
    const late = gaps.filter((gap) => gap > 25).length;
    console.log(`${cards} cards, 60 moves in ${gaps.length} frames, ${late} of them late, ${after - before} layouts`);
    assert.ok(cards > 1);
    assert.ok(after - before <= 2, `${after - before} layouts while it was moved`);
  });
});
