// The seed story, as a responder goes through it at three in the morning.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEYS, at, given, leads, planned, reading, views } from './browser.mjs';

/** What a list of facts says of a name. */
function fact(page, name) {
  return page.locator('dt', { hasText: new RegExp(`^${name}$`) }).locator('+ dd');
}

/** A view in the menu. */
function menu(page, name) {
  return page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name });
}

/** The row of a credential in the inventory. */
function row(page, key) {
  return page.locator('tr', { has: page.locator('th', { hasText: key }) });
}

test('the printed address lets in, and is not shown again', async () => {
  await reading(given.story, {}, async (page) => {
    assert.equal(new URL(page.url()).pathname, '/incidents');
    assert.equal(new URL(page.url()).search, '');
    const [cookie] = await page.context().cookies();
    assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, 'Strict']);
    assert.equal(await page.evaluate(() => document.cookie), '');
    await page.context().clearCookies();
    assert.equal((await page.request.get(at(given.story, '/tokens'))).status(), 403);
  });
});

test('from the key of a leaf to the root', async () => {
  await reading(given.story, {}, async (page) => {
    await menu(page, 'Tokens').click();
    await page.getByLabel('Text').fill(KEYS.D);
    await page.getByRole('button', { name: 'Filter' }).click();
    await row(page, KEYS.D).getByRole('link', { name: KEYS.D }).click();
    await fact(page, 'Root of its lineage').getByRole('link').click();
    assert.match(await page.locator('main').innerText(), new RegExp(KEYS.A));
  });
});

test('B is alive after A was made inactive', async () => {
  await reading(given.story, {}, async (page) => {
    await page.goto(at(given.story, '/tokens', '2026-03-02T11:40:00Z'));
    assert.match(await row(page, KEYS.A).innerText(), /revoked/);
    assert.match(await row(page, KEYS.B).innerText(), /alive/);
    await row(page, KEYS.A).getByRole('link', { name: KEYS.A }).click();
    assert.match(await fact(page, 'Status').innerText(), /revoked/);
    await page.goBack();
    await row(page, KEYS.B).getByRole('link', { name: KEYS.B }).click();
    assert.match(await fact(page, 'Status').innerText(), /alive/);
  });
});

test('an instant that is set in one view is that of every view', async () => {
  const past = '2026-03-04T00:00:00Z';
  await reading(given.story, {}, async (page) => {
    await page.goto(at(given.story, `/tokens?q=${KEYS.B}`));
    assert.match(await row(page, KEYS.B).innerText(), /alive/);
    await page.getByLabel('Status at (UTC)').fill(past);
    await page.getByLabel('Status at (UTC)').press('Enter');
    await page.waitForURL(/at=2026-03-04/);
    assert.match(await row(page, KEYS.B).innerText(), /expired/);
    for (const [name, path] of await views(page)) {
      await page.goto(at(given.story, path));
      assert.equal(await page.getByLabel('Status at (UTC)').inputValue(), past, `${name} of ${path}`);
      const links = await page.locator('main a[href^="/"]').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
      const lost = links.filter((link) => !link.endsWith('/plan.json') && !new URL(link, given.story).searchParams.get('at'));
      assert.deepEqual(lost, [], `links of ${name} lose the instant`);
    }
    await page.goto(at(given.story, '/tokens', past));
    await row(page, KEYS.B).getByRole('link', { name: KEYS.B }).click();
    assert.match(await fact(page, 'Status').innerText(), /expired/);
  });
});

test('on the time line, bars, cursor and hours have one scale', async () => {
  for (const width of [1440, 390]) {
    await reading(given.story, { viewport: { width, height: 900 } }, async (page) => {
      await page.goto(at(given.story, '/timeline', '2026-03-02T11:41:00Z'));
      const lane = page.locator('.lane', { hasText: KEYS.D });
      const bar = await lane.locator('rect.held').first().boundingBox();
      const cursor = await page.locator('.over .cursor').boundingBox();
      assert.ok(Math.abs(bar.x - (cursor.x + cursor.width / 2)) < 3, `D begins at ${bar.x}, its instant is at ${cursor.x}`);
      assert.match(await lane.innerText(), /alive/);
    });
  }
});

test('the cursor is moved past expiry, by keyboard and by hand, and every view follows', async () => {
  await reading(given.story, {}, async (page) => {
    await page.goto(at(given.story, '/timeline'));
    const lane = page.locator('.lane', { hasText: KEYS.D });
    assert.match(await lane.innerText(), /alive/);
    const track = await page.locator('.track').boundingBox();
    const cursor = await page.getByRole('slider').boundingBox();
    await page.mouse.move(cursor.x + cursor.width / 2, cursor.y + cursor.height - 4);
    await page.mouse.down();
    await page.mouse.move(track.x + track.width * 0.9, cursor.y + cursor.height - 4, { steps: 8 });
    await page.mouse.up();
    await page.waitForURL(/at=2026-03-02T2/);
    assert.match(await page.locator('.lane', { hasText: KEYS.D }).innerText(), /expired/);
    const moved = await page.getByLabel('Status at (UTC)').inputValue();
    await menu(page, 'Tokens').click();
    assert.match(await row(page, KEYS.D).innerText(), /expired/);
    assert.equal(await page.getByLabel('Status at (UTC)').inputValue(), moved);
    await menu(page, 'Time line').click();
    await page.getByRole('slider').focus();
    await page.keyboard.press('ArrowLeft');
    await page.waitForURL((url) => url.searchParams.get('at') !== moved && url.searchParams.has('at'));
  });
});

test('a finding leads to its evidence, down to the raw records', async () => {
  await reading(given.story, {}, async (page) => {
    await menu(page, 'Findings').click();
    const link = await leads(page, /^\/findings\//);
    await page.goto(at(given.story, link));
    await fact(page, 'Incident').getByRole('link').click();
    assert.equal(await page.getByRole('heading', { level: 1 }).innerText(), 'Incident');
    assert.ok(await page.locator('h2', { hasText: 'What happened' }).isVisible());
    await page.goBack();
    const first = page.locator('h2', { hasText: 'Records that show it' }).locator('~ ul').first().locator('code').first();
    const id = await first.innerText();
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    await page.getByRole('link', { name: id }).first().click();
    await page.waitForURL(/\/records/);
    assert.match(await page.locator('main pre').first().innerText(), new RegExp(`"eventID": "${id}"`));
  });
});

test('the raw record that issued B is shown without its session token', async () => {
  await reading(given.story, {}, async (page) => {
    await page.goto(at(given.story, `/tokens?q=${KEYS.B}`));
    await row(page, KEYS.B).getByRole('link', { name: KEYS.B }).click();
    await page.getByRole('link', { name: 'Raw records' }).first().click();
    const issue = page.locator('main pre', { hasText: 'GetSessionToken' }).first();
    assert.match(await issue.innerText(), /"sessionToken": "\[struck out\]"/);
  });
});

test('the keyboard alone goes through the views', async () => {
  await reading(given.story, {}, async (page) => {
    await page.keyboard.press('Tab');
    const skip = page.getByRole('link', { name: 'Skip to the content' });
    assert.ok(await skip.evaluate((node) => node === document.activeElement));
    assert.ok((await skip.boundingBox()).x >= 0, 'what has the focus is seen');
    const all = await page.locator('header nav a').count();
    for (let step = 0; step < all; step += 1) {
      await page.keyboard.press('Tab');
      const focus = await page.evaluate(() => {
        const style = getComputedStyle(document.activeElement);
        return { name: document.activeElement.textContent, outline: parseFloat(style.outlineWidth), kind: style.outlineStyle };
      });
      assert.ok(focus.outline >= 2 && focus.kind !== 'none', `the focus on ${focus.name} is seen`);
    }
    await menu(page, 'Findings').focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/findings/);
    await page.locator('main a[href^="/findings/"]').first().focus();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/findings\/./);
  });
});

test('in the drawing, from the key of a leaf to the root', async () => {
  await reading(given.story, {}, async (page) => {
    await page.goto(at(given.story, `/lineage?q=${KEYS.D}`));
    const boxes = [];
    for (const name of ['A', 'B', 'D']) {
      const card = page.locator('a.card', { hasText: KEYS[name] });
      assert.match(await card.getAttribute('aria-label'), name === 'A' ? /revoked/ : /alive/);
      boxes.push((await card.boundingBox()).x);
    }
    assert.ok(boxes[0] < boxes[1] && boxes[1] < boxes[2], `from left to right: ${boxes}`);
    await page.locator('a.card', { hasText: KEYS.A }).click();
    const panel = page.getByLabel('The selected node');
    await panel.getByText('key deactivated').waitFor();
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'hidden' });
  });
});

test('the drawing is searched, moved and enlarged by keys alone', async () => {
  await reading(given.story, {}, async (page) => {
    await page.goto(at(given.story, '/lineage'));
    await page.getByRole('searchbox').fill(KEYS.D);
    await page.keyboard.press('Enter');
    await page.getByText('1 of 1 in this drawing').waitFor();
    const look = () => page.locator('svg.drawing').first().evaluate((svg) => svg.style.transform);
    const changed = async (key) => {
      const before = await look();
      await page.keyboard.press(key);
      await page.waitForFunction((old) => document.querySelector('svg.drawing').style.transform !== old, before);
    };
    await page.locator('.canvas').focus();
    for (const key of ['ArrowRight', 'ArrowUp', '+', '-', '0']) await changed(key);
    await page.keyboard.press('Tab');
    const focused = page.locator('a.card:focus');
    const canvas = await page.locator('.canvas').boundingBox();
    const card = await focused.boundingBox();
    assert.ok(card.x >= canvas.x && card.x + card.width <= canvas.x + canvas.width, 'what has the focus is in view');
    await page.keyboard.press('Enter');
    await page.getByLabel('The selected node').getByRole('heading').first().waitFor();
  });
});

test('a plan is started at a credential, and its steps can be read', async () => {
  await reading(given.story, {}, async (page) => {
    await page.goto(at(given.story, `/tokens?q=${KEYS.B}`));
    await row(page, KEYS.B).getByRole('link', { name: KEYS.B }).click();
    await page.getByRole('link', { name: /^Plan/ }).click();
    assert.equal(await page.getByLabel('Pivot').inputValue(), KEYS.B);
    await planned(page);
    const digest = await fact(page, 'Digest').innerText();
    assert.match(digest, /^[0-9a-f]{64}$/);
    const steps = page.locator('#steps tbody tr:not(.phase)');
    assert.ok(await steps.count() > 3);
    for (const text of await steps.allInnerTexts()) assert.match(text, /waiting/, 'nothing was carried out');
    assert.equal(await page.locator('input[name=approval]').count(), 0, 'this program may not carry out anything');
    const file = await page.request.get(at(page.url(), await leads(page, /plan\.json$/)));
    assert.equal((await file.json()).pivot, KEYS.A);
    await steps.first().getByRole('link').first().click();
    await page.waitForURL(/\/steps\/1/);
    assert.match(await page.locator('main').innerText(), /Why|Reason/);
    const refused = await page.request.post(at(given.story, '/containment/new'), { form: { pivot: KEYS.A, level: 'contain' } });
    assert.ok([400, 403].includes(refused.status()), `without its token a form is refused: ${refused.status()}`);
  });
});

test('every view can be read without a script', async () => {
  await reading(given.story, { javaScriptEnabled: false }, async (page) => {
    for (const [name, path] of await views(page)) {
      await page.goto(at(given.story, path));
      assert.ok((await page.getByRole('heading', { level: 1 }).innerText()).length > 3, name);
      assert.ok((await page.locator('main').innerText()).length > 100, `${name} says something`);
    }
  });
});
