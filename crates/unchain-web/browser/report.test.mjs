// The report says what the page says, and needs nothing but its file.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, given, reading } from './browser.mjs';

/** Every credential that has a key, with its status, from the inventory that a page exports. */
async function inventory(page) {
  const lines = await page.request.get(at(given.story, '/tokens.jsonl', given.at));
  const tokens = (await lines.text()).trim().split('\n').map((line) => JSON.parse(line));
  return tokens.filter((token) => token.access_key_id).map((token) => [token.access_key_id, token.status]).sort();
}

test('page and report name the same credentials and statuses', async () => {
  let told;
  await reading(given.story, {}, async (page) => {
    told = await inventory(page);
    assert.deepEqual(await tokens(page, at(given.story, '/tokens', given.at)), told, 'the page shows what it exports');
  });
  await reading(`file://${given.report}`, {}, async (page) => {
    const named = new Map(await tokens(page, page.url()));
    assert.deepEqual([...named].sort(), told);
  });
});

/** Every credential with a key, with its status, of all tables that say both. */
async function tokens(page, url) {
  await page.goto(url);
  const rows = await page.locator('table').evaluateAll((tables) => {
    const heads = (table) => [...(table.tHead?.rows[0].cells ?? [])].map((cell) => cell.textContent.trim());
    const inventories = tables.filter((table) => ['Credential', 'Status', 'Expires'].every((name) => heads(table).includes(name)));
    return inventories.flatMap((table) => {
      const columns = [heads(table).indexOf('Credential'), heads(table).indexOf('Status')];
      return [...table.tBodies[0].rows].map((row) => columns.map((column) => row.cells[column].textContent));
    });
  });
  return rows.flatMap(([who, status]) => {
    const key = who.match(/A[KS]IA[A-Z0-9]{16}/)?.[0];
    return key ? [[key, status.match(/^\s*(alive|unknown|revoked|expired|not.yet.issued)/)?.[1].replaceAll(' ', '-')]] : [];
  }).sort();
}
