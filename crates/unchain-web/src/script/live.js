// The case grows and plans are carried out while a page is open: says so, and never moves what is being read.
// Without this script a reload shows the same.

const banner = document.getElementById("live");
const shown = Number(document.body.dataset.events);
let source = null;
let busy = false;
let again = false;

function grown(more) {
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = "Show";
  const events = more === 1 ? "1 new event" : `${more} new events`;
  banner.replaceChildren(`The case has grown: ${events}. `, link);
}

// Puts the server's own section in the place of an older one, unless the reader is in it.
function renew(page, id) {
  const [old, now] = [document.getElementById(id), page.getElementById(id)];
  if (old && now && !old.contains(document.activeElement)) old.replaceWith(document.adoptNode(now));
}

async function fetched() {
  const answer = await fetch(location.href, { credentials: "same-origin" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  renew(page, "progress");
  renew(page, "actions");
  const said = document.querySelector("#progress [data-said]");
  if (said && banner.textContent !== said.textContent) banner.textContent = said.textContent;
}

// One request at a time, however fast the journal grows.
async function progress() {
  again = busy;
  if (busy) return;
  busy = true;
  try {
    do {
      again = false;
      await fetched();
    } while (again);
  } catch {
    // The next news tries again.
  } finally {
    busy = false;
  }
}

function heard(state) {
  if (state.events > shown) grown(state.events - shown);
  const told = document.getElementById("progress");
  if (told && state.journal !== Number(told.dataset.journal)) progress();
}

function listen() {
  if (source) return;
  source = new EventSource("/live");
  source.addEventListener("state", (event) => heard(JSON.parse(event.data)));
}

// A browser keeps few connections to one server: a page that nobody sees needs none.
function turned() {
  if (document.visibilityState === "visible") return listen();
  source?.close();
  source = null;
}

document.addEventListener("visibilitychange", turned);
addEventListener("pagehide", () => {
  source?.close();
  source = null;
});
addEventListener("pageshow", turned);
turned();
