// Zoom, pan, search and selection in the drawing of the lineage. Without it the drawing is read by its links.

const LARGEST = 3;
const READABLE = 0.85;
const STEP = 80;

const canvas = document.querySelector(".canvas");
const svg = canvas?.querySelector("svg.drawing");
if (svg) {
  start(canvas, svg);
}

function start(canvas, svg) {
  const view = viewOf(canvas, svg);
  const panel = panelOf(canvas, view);
  canvas.classList.add("live");
  canvas.parentElement.before(tools(view));
  byWheel(canvas, view);
  byHand(canvas, view);
  byKeys(canvas, view);
  searching(canvas, view);
  canvas.addEventListener("click", (event) => {
    const card = event.target.closest("a.card");
    const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
    if (card && plain && card.getAttribute("href").startsWith("/nodes/")) {
      event.preventDefault();
      panel.show(card);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) {
      panel.close();
    }
  });
  view.begin();
  const chosen = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (chosen && canvas.contains(chosen)) {
    view.reveal(chosen);
    if (chosen.getAttribute("href").startsWith("/nodes/")) {
      panel.show(chosen);
    }
  }
}

// Where the drawing stands under the canvas, and how large. Writes one transform per frame, and reads no layout.
function viewOf(canvas, svg) {
  const { width, height } = svg.viewBox.baseVal;
  let x = 0, y = 0, scale = 1;
  let frame = 0, rest = 0;
  let room = { width: canvas.clientWidth, height: canvas.clientHeight };
  new ResizeObserver(() => {
    room = { width: canvas.clientWidth, height: canvas.clientHeight };
  }).observe(canvas);

  function write() {
    frame = 0;
    svg.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
  }
  function later() {
    const edge = 60;
    x = Math.min(room.width - edge, Math.max(edge - width * scale, x));
    y = Math.min(room.height - edge, Math.max(edge - height * scale, y));
    frame ||= requestAnimationFrame(write);
    // While it moves it is a picture; at rest its text is drawn sharp again.
    canvas.classList.add("moving");
    clearTimeout(rest);
    rest = setTimeout(() => canvas.classList.remove("moving"), 200);
  }
  function fitting() {
    return Math.min(room.width / width, room.height / height, 1);
  }
  const view = {
    pan(dx, dy) {
      x += dx;
      y += dy;
      later();
    },
    // Around a point of the canvas, which stays where it is.
    zoom(factor, px = room.width / 2, py = room.height / 2) {
      const smallest = Math.min(0.25, fitting());
      const next = Math.min(LARGEST, Math.max(smallest, scale * factor));
      x = px - ((px - x) * next) / scale;
      y = py - ((py - y) * next) / scale;
      scale = next;
      later();
    },
    fit() {
      scale = fitting();
      x = (room.width - width * scale) / 2;
      y = (room.height - height * scale) / 2;
      later();
    },
    begin() {
      scale = Math.max(READABLE, fitting());
      // No taller than what is drawn at this size; the style bounds it by the window.
      canvas.style.height = `${Math.max(240, Math.ceil(height * scale))}px`;
      x = 0;
      y = 0;
      later();
      const asked = svg.querySelector(".asked");
      if (asked) {
        write();
        view.reveal(asked.closest("a"));
      }
    },
    // Moves as little as shows a card whole, above what covers the lower part of the window.
    reveal(card, covered = innerHeight) {
      write();
      const area = canvas.getBoundingClientRect();
      const box = card.getBoundingClientRect();
      const margin = 24;
      const bottom = Math.max(area.top + box.height + 2 * margin, Math.min(area.bottom, covered));
      const into = (from, to, low, high) => (from < low ? low - from : to > high ? Math.max(low - from, high - to) : 0);
      view.pan(
        into(box.left, box.right, area.left + margin, area.right - margin),
        into(box.top, box.bottom, area.top + margin, bottom - margin),
      );
    },
  };
  // A browser that brings something into view (focus, find in page) scrolls: the drawing moves instead.
  canvas.addEventListener("scroll", () => {
    const { scrollLeft, scrollTop } = canvas;
    if (scrollLeft || scrollTop) {
      canvas.scrollTo(0, 0);
      view.pan(-scrollLeft, -scrollTop);
    }
  });
  canvas.scrollTo(0, 0);
  return view;
}

function tools(view) {
  const bar = document.createElement("div");
  bar.className = "tools";
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Zoom");
  const button = (sign, name, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = sign;
    if (name) {
      made.setAttribute("aria-label", name);
    }
    made.addEventListener("click", act);
    return made;
  };
  const hint = document.createElement("span");
  hint.className = "soft";
  hint.textContent = "Wheel or pinch zooms, drag moves. Keys: arrows, + and −, 0 shows all, Tab goes from node to node.";
  bar.append(
    button("+", "Zoom in", () => view.zoom(1.25)),
    button("−", "Zoom out", () => view.zoom(0.8)),
    button("Show all", "", () => view.fit()),
    button("Reset", "", () => view.begin()),
    hint,
  );
  return bar;
}

function byWheel(canvas, view) {
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? canvas.clientHeight : 1;
    const dx = event.deltaX * unit, dy = event.deltaY * unit;
    if (event.shiftKey || Math.abs(dx) > Math.abs(dy)) {
      view.pan(-(dx || dy), dx ? -dy : 0);
      return;
    }
    const area = canvas.getBoundingClientRect();
    const speed = event.ctrlKey ? 0.01 : 0.0015;
    view.zoom(Math.exp(-dy * speed), event.clientX - area.left, event.clientY - area.top);
  }, { passive: false });
}

// One pointer moves the drawing, two move and zoom it.
function byHand(canvas, view) {
  const down = new Map();
  let area, way = 0;
  const middle = () => {
    const all = [...down.values()];
    const x = all.reduce((sum, at) => sum + at.x, 0) / all.length;
    const y = all.reduce((sum, at) => sum + at.y, 0) / all.length;
    return { x, y, apart: all.length > 1 ? Math.hypot(all[0].x - all[1].x, all[0].y - all[1].y) : 0 };
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || down.size > 1) {
      return;
    }
    area = canvas.getBoundingClientRect();
    way = down.size ? way : 0;
    down.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!down.has(event.pointerId)) {
      return;
    }
    const before = middle();
    down.set(event.pointerId, { x: event.clientX, y: event.clientY });
    const after = middle();
    way += Math.hypot(after.x - before.x, after.y - before.y) + Math.abs(after.apart - before.apart);
    // A hand that trembles still follows a link.
    if (way < 5) {
      return;
    }
    if (!canvas.hasPointerCapture(event.pointerId)) {
      canvas.setPointerCapture(event.pointerId);
      canvas.classList.add("held");
    }
    view.pan(after.x - before.x, after.y - before.y);
    if (before.apart && after.apart) {
      view.zoom(after.apart / before.apart, after.x - area.left, after.y - area.top);
    }
  });
  const up = (event) => {
    down.delete(event.pointerId);
    if (!down.size) {
      canvas.classList.remove("held");
    }
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  // Outside the canvas nothing is held, unless it was captured.
  canvas.addEventListener("pointerleave", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) {
      up(event);
    }
  });
  canvas.addEventListener("dragstart", (event) => event.preventDefault());
  canvas.addEventListener("click", (event) => {
    if (way >= 5 && event.detail > 0) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    way = 0;
  }, { capture: true });
}

function byKeys(canvas, view) {
  const keys = {
    ArrowLeft: () => view.pan(STEP, 0),
    ArrowRight: () => view.pan(-STEP, 0),
    ArrowUp: () => view.pan(0, STEP),
    ArrowDown: () => view.pan(0, -STEP),
    "+": () => view.zoom(1.25),
    "=": () => view.zoom(1.25),
    "-": () => view.zoom(0.8),
    "0": () => view.fit(),
  };
  canvas.addEventListener("keydown", (event) => {
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
  canvas.addEventListener("focusin", (event) => {
    const card = event.target.closest("a.card");
    // What a pointer pressed is in view, and must not move away from under it.
    if (card?.matches(":focus-visible")) {
      view.reveal(card);
    }
  });
}

// What the server says of a node, beside the drawing.
function panelOf(canvas, view) {
  const panel = document.createElement("section");
  panel.className = "panel";
  panel.hidden = true;
  panel.setAttribute("aria-label", "The selected node");
  panel.tabIndex = -1;
  canvas.after(panel);
  let card = null, asked = null;

  function mark(next) {
    card?.removeAttribute("aria-current");
    next?.setAttribute("aria-current", "true");
    card = next;
    history.replaceState(null, "", next ? `#${next.id}` : location.pathname + location.search);
  }
  function close() {
    if (panel.hidden) {
      return;
    }
    const back = card;
    asked?.abort();
    panel.hidden = true;
    mark(null);
    back?.focus({ preventScroll: true });
  }
  function fill(main, href) {
    const shut = document.createElement("button");
    shut.type = "button";
    shut.className = "close";
    shut.textContent = "Close";
    shut.addEventListener("click", close);
    const whole = document.createElement("p");
    const link = document.createElement("a");
    link.href = href;
    link.textContent = "Open as a page";
    whole.append(link);
    panel.replaceChildren(shut, whole, ...[...main.childNodes].map((node) => document.adoptNode(node)));
    panel.querySelectorAll("script").forEach((script) => script.remove());
    panel.querySelectorAll("[id]").forEach((named) => named.removeAttribute("id"));
    for (const [from, to] of [["h2", "h3"], ["h1", "h2"]]) {
      panel.querySelectorAll(from).forEach((heading) => {
        const lower = document.createElement(to);
        lower.append(...heading.childNodes);
        heading.replaceWith(lower);
      });
    }
    panel.scrollTo(0, 0);
  }
  async function show(next) {
    const href = next.getAttribute("href");
    asked?.abort();
    asked = new AbortController();
    mark(next);
    try {
      const answer = await fetch(href, { signal: asked.signal });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = page.querySelector("main");
      if (!answer.ok || !main) {
        throw new Error("no such page");
      }
      fill(main, href);
    } catch (error) {
      if (error.name !== "AbortError") {
        location.assign(href);
      }
      return;
    }
    panel.hidden = false;
    const sheet = getComputedStyle(panel).position === "fixed";
    if (sheet) {
      canvas.scrollIntoView({ block: "start" });
    }
    view.reveal(next, sheet ? panel.getBoundingClientRect().top : innerHeight);
    panel.focus({ preventScroll: true });
  }
  return { show, close };
}

// Finds in the drawing; what is not there is asked of the whole case, as without a script.
function searching(canvas, view) {
  const form = document.querySelector("form.find");
  const field = form?.querySelector("input[type=search]");
  if (!field) {
    return;
  }
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  form.append(said);
  let last = -1, wanted = "";
  form.addEventListener("submit", (event) => {
    const text = field.value.trim().toLowerCase();
    const cards = [...canvas.querySelectorAll("a.card")];
    const found = cards.filter((card) => card.getAttribute("aria-label").toLowerCase().includes(text));
    if (!text || !found.length) {
      return;
    }
    event.preventDefault();
    last = text === wanted ? (last + 1) % found.length : 0;
    wanted = text;
    view.reveal(found[last]);
    cards.forEach((card) => card.classList.toggle("found", found.includes(card)));
    const whole = document.createElement("a");
    whole.href = `${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`;
    whole.textContent = "search the whole case";
    said.replaceChildren(`${last + 1} of ${found.length} in this drawing, `, whole);
    history.replaceState(null, "", `#${found[last].id}`);
  });
}
