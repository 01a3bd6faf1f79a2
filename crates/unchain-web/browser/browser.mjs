// A reader's browser: it is let in to a case, and notices what no page may ever do.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';

/** What `cargo xtask browser` made: addresses of the cases, files of the reports, the instant of the pages. */
export const given = JSON.parse(readFileSync(process.env.UNCHAIN_BROWSER, 'utf8'));

/** The keys of the seed story (scenarios/whack-a-mole/README.md). */
export const KEYS = {
  A: 'AKIARTX3GSDSXNZDI2Z5',
  B: 'ASIARTX3GSDS6MN6TH57',
  BM: 'ASIARTX3GSDS4LMXYX7V',
  C: 'ASIARTX3GSDSQSI6DWZB',
  D: 'ASIARTX3GSDSVYZMJ43I',
};

/** Wide and narrow, light and dark. */
export const LOOKS = [1440, 390].flatMap((width) =>
  ['light', 'dark'].map((colorScheme) => ({
    name: `${width}-${colorScheme}`,
    options: { colorScheme, viewport: { width, height: width > 600 ? 900 : 844 } },
  })));

let browser;
before(async () => {
  browser = await chromium.launch({ executablePath: given.chromium, args: ['--no-sandbox'] });
});
after(() => browser?.close());

/**
 * Calls with a page of a browser that knows nothing yet; afterwards nothing may have happened that no page may do: an
 * error in the console, something the Content-Security-Policy forbade, a dialog, a request to anybody else.
 */
export async function reading(site, options, read) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const faults = [];
  const own = site.startsWith('file:') ? site : new URL(site).origin;
  context.on('request', (request) => {
    const url = request.url();
    const here = site.startsWith('file:') ? url === own : new URL(url).origin === own;
    if (!here && !url.startsWith('data:')) faults.push(`asked ${url}`);
  });
  context.on('console', (message) => {
    const wanted = message.type() === 'error' || message.type() === 'warning';
    if (wanted) faults.push(`${message.type()} in the console of ${message.page()?.url()}: ${message.text()}`);
  });
  context.on('weberror', (error) => faults.push(`error in a page: ${error.error()}`));
  context.on('dialog', (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  try {
    const page = await context.newPage();
    await page.goto(site);
    await read(page);
    const pwned = options.javaScriptEnabled === false ? undefined : await page.evaluate(() => window.__pwned);
    assert.equal(pwned, undefined, 'text of a log was carried out');
    assert.deepEqual(faults, []);
  } finally {
    await context.close();
  }
}

/** An address of a site at an instant. */
export function at(site, path, instant = undefined) {
  const url = new URL(path, site);
  if (instant !== undefined) url.searchParams.set('at', instant);
  return url.href;
}

/** Where the first link of the content leads that fits; undefined if there is none. */
export async function leads(page, pattern) {
  const links = await page.locator('main a[href]').evaluateAll((all) => all.map((a) => a.getAttribute('href')));
  return links.find((link) => pattern.test(link));
}

/** Every view of a case by its name, found as a reader finds it: by the menu, then by the first link of each kind. */
export async function views(page) {
  const menu = await page.locator('header nav a').evaluateAll((all) =>
    all.map((a) => [a.textContent.trim().toLowerCase(), a.getAttribute('href')]));
  const found = new Map(menu);
  for (const [from, name, pattern] of DEEPER) {
    if (!found.has(from)) continue;
    await page.goto(at(page.url(), found.get(from)));
    const link = await leads(page, pattern);
    if (link !== undefined) found.set(name, link);
  }
  return found;
}

/** From a view to one that the menu does not name. */
const DEEPER = [
  ['incidents', 'incident', /^\/incidents\/[^/]+$/],
  ['findings', 'finding', /^\/findings\/[^/?]+/],
  ['tokens', 'node', /^\/nodes\/[^/?]+/],
  ['node', 'records', /^\/nodes\/[^/?]+\/records/],
  ['node', 'new plan', /^\/containment\/new/],
  ['containment', 'plan', /^\/containment\/(?!new)[^/]+$/],
  ['plan', 'step', /^\/containment\/[^/]+\/steps\//],
];

/** Makes a plan for the story by the form of the page; the page of the plan is open afterwards. */
export async function planned(page) {
  await page.goto(at(given.story, `/containment/new?pivot=${KEYS.A}`));
  await page.getByRole('textbox', { name: 'Exempt' }).fill('arn:aws:iam::111122223333:user/olivia');
  await page.getByRole('button', { name: 'Make the plan' }).click();
  await page.waitForURL(/\/containment\/(?!new)[^/]+$/);
}

/** Whether the document is wider than the window; what sticks out, if so. */
export function overflowing(page) {
  return page.evaluate(() => {
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= room) return [];
    const inside = (node) => node && (getComputedStyle(node).overflowX !== 'visible' || inside(node.parentElement));
    const out = [...document.body.querySelectorAll('*')].filter((node) =>
      node.getBoundingClientRect().right > room + 1 && !inside(node.parentElement));
    return [`${document.documentElement.scrollWidth} > ${room}`,
      ...out.slice(0, 5).map((node) => node.outerHTML.slice(0, 160))];
  });
}
