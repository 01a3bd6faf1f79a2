// The cursor of the time line: moved by mouse, touch or keys, it asks the server for the page at its instant.
// Without this an instant is chosen by the links and by the form.

const SECOND = 1000;
const AFTER_KEYS = 700;
const FOCUS = "timeline-focus";

const chart = document.querySelector(".timeline[data-from]");
if (chart) begin(chart);

function begin(chart) {
  const from = Number(chart.dataset.from);
  const to = Number(chart.dataset.to);
  const asked = Number(chart.dataset.at);
  const cursor = chart.querySelector("line.cursor");
  const lanes = Array.from(chart.querySelectorAll(".lane[data-states]"), lane);
  const { track, handle, shown } = controls(chart, { from, to });
  let at = Math.min(Math.max(asked, from), to);
  let waiting = 0;

  function show() {
    const place = `${((at - from) / (to - from)) * 100}%`;
    cursor.setAttribute("x1", place);
    cursor.setAttribute("x2", place);
    handle.style.left = place;
    handle.setAttribute("aria-valuenow", String(at));
    handle.setAttribute("aria-valuetext", `${text(at)} UTC`);
  }

  function move(seconds) {
    at = Math.round(Math.min(Math.max(seconds, from), to));
    cursor.classList.remove("away");
    shown.hidden = false;
    shown.textContent = text(at);
    const field = document.querySelector("form.instant input[name=at]");
    if (field) field.value = iso(at);
    for (const line of lanes) line.show(at);
    show();
  }

  function ask() {
    clearTimeout(waiting);
    if (at === asked) return;
    const address = new URL(location.href);
    address.searchParams.set("at", iso(at));
    // The window stays, so that what is under the hand does not jump.
    address.searchParams.set("from", iso(from));
    address.searchParams.set("to", iso(to));
    location.assign(address);
  }

  function under(event) {
    const box = track.getBoundingClientRect();
    return from + ((event.clientX - box.left) / box.width) * (to - from);
  }

  track.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    track.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    move(under(event));
  });
  track.addEventListener("pointermove", (event) => {
    if (track.hasPointerCapture(event.pointerId)) move(under(event));
  });
  track.addEventListener("pointerup", (event) => {
    if (!track.hasPointerCapture(event.pointerId)) return;
    track.releasePointerCapture(event.pointerId);
    remember();
    ask();
  });
  track.addEventListener("pointercancel", () => move(asked));

  handle.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const small = Math.max(1, Math.round((to - from) / 200));
    const steps = {
      ArrowLeft: -small, ArrowDown: -small, ArrowRight: small, ArrowUp: small,
      PageDown: -10 * small, PageUp: 10 * small, Home: from - at, End: to - at,
    };
    if (event.key === "Enter") {
      remember();
      ask();
    } else if (event.key === "Escape") {
      clearTimeout(waiting);
      move(asked);
    } else if (event.key in steps) {
      event.preventDefault();
      move(at + steps[event.key]);
      clearTimeout(waiting);
      waiting = setTimeout(() => { remember(); ask(); }, AFTER_KEYS);
    }
  });

  show();
  if (sessionStorage.getItem(FOCUS)) {
    sessionStorage.removeItem(FOCUS);
    handle.focus({ preventScroll: true });
  }
}

// What is moved, put over the axis.
function controls(chart, { from, to }) {
  const track = document.createElement("div");
  track.className = "track";
  const handle = document.createElement("div");
  handle.className = "handle";
  handle.tabIndex = 0;
  const named = {
    role: "slider", "aria-label": "Instant of every view", "aria-valuemin": String(from), "aria-valuemax": String(to),
  };
  for (const [name, value] of Object.entries(named)) handle.setAttribute(name, value);
  const shown = document.createElement("span");
  shown.className = "shown";
  shown.hidden = true;
  handle.append(shown);
  track.append(handle);
  chart.querySelector(".axis").append(track);
  chart.classList.add("movable");
  return { track, handle, shown };
}

// One line, and how it looks at an instant.
function lane(element) {
  const states = element.dataset.states.split(" ").map((state) => {
    const cut = state.indexOf(":");
    return { from: Number(state.slice(0, cut)), status: state.slice(cut + 1) };
  });
  const word = element.querySelector(".name .word");
  return {
    show(at) {
      let status = states[0].status;
      for (const state of states) if (state.from <= at) status = state.status;
      if (element.dataset.status === status) return;
      element.dataset.status = status;
      word.dataset.word = status;
      word.textContent = status.replaceAll("-", " ");
    },
  };
}

// After the page is there again the keys are where they were.
function remember() {
  sessionStorage.setItem(FOCUS, "1");
}

function iso(seconds) {
  return `${new Date(seconds * SECOND).toISOString().slice(0, 19)}Z`;
}

function text(seconds) {
  return iso(seconds).replace("T", " ").replace("Z", "");
}
