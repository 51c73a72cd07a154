"use strict";
// The list of clips: unpacks the page's columns (columns.py), filters them by the address's fragment, shows
// a page of them and plays the one that is chosen.  Texts and ids come from outside: they are only ever set
// as textContent or as parts of an encoded address.

const PER_PAGE = 24;
const MEASURES = {
  length: ["Length", "s"], gap: ["Gap before", "s"], overlap: ["Overlap", "s"],
  loudness: ["Loudness", "LUFS"], dnsmos: ["DNSMOS", ""], snr: ["SNR", "dB"], sharpness: ["Sharpness", ""],
  left_fill: ["Left actor's share", ""], right_fill: ["Right actor's share", ""], sync: ["Sync residual", "ms"],
};
const WORDS = ["kind", "session", "dialogue", "speaker", "topic", "emotion", "backchannel"];
const EDGES = ["x0", "y0", "x1", "y1"];
const NOTHING = 255;
const CELLS = [16, 18];
const TYPES = { int32: Int32Array, float32: Float32Array, uint8: Uint8Array };

const byId = (id) => document.getElementById(id);

function made(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

async function unpack(text) {
  const packed = atob(text.trim());
  const bytes = new Uint8Array(packed.length);
  for (let n = 0; n < packed.length; n++) bytes[n] = packed.charCodeAt(n);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const columns = {};
  for (const [name, { type, offset }] of Object.entries(header.arrays)) {
    columns[name] = new TYPES[type](buffer, 4 + length + offset, header.rows);
  }
  return { rows: header.rows, words: header.words, reasons: header.reasons, strings: header.strings, columns };
}

class Clips {
  constructor(data) {
    Object.assign(this, data);
    this.orders = new Map();
  }

  word(name, clip) {
    const place = this.columns[name][clip];
    return place < 0 ? "" : this.words[name][place];
  }

  actor(side, clip) {
    const place = this.columns[`${side}_actor`][clip];
    return place < 0 ? "" : this.words.actor[place];
  }

  // What the audit makes of a clip's ids: layout.py.
  address(clip) {
    const session = encodeURIComponent(this.word("session", clip));
    return `${session}/clips/${encodeURIComponent(this.strings.id[clip])}.mp4`;
  }

  get searchable() {
    if (!this.lower) {
      this.lower = this.strings.id.map((id, n) => `${id}\n${this.strings.text[n]}`.toLowerCase());
    }
    return this.lower;
  }

  // A test of a clip's number for each thing that is wanted; none passes where a word is not there.
  tests(wanted) {
    const tests = [];
    const { columns, words, reasons } = this;
    for (const name of WORDS) {
      if (!wanted.has(name)) continue;
      const column = columns[name], place = words[name].indexOf(wanted.get(name));
      tests.push((clip) => place >= 0 && column[clip] === place);
    }
    if (wanted.has("keep")) {
      const keep = wanted.get("keep") === "yes" ? 1 : 0, column = columns.keep;
      tests.push((clip) => column[clip] === keep);
    }
    if (wanted.has("actor")) {
      const places = new Set(wanted.getAll("actor").map((name) => words.actor.indexOf(name)));
      places.delete(-1);
      const left = columns.left_actor, right = columns.right_actor;
      tests.push((clip) => places.has(left[clip]) || places.has(right[clip]));
    }
    if (wanted.has("reason")) {
      const place = words.reason.indexOf(wanted.get("reason"));
      tests.push((clip) => place >= 0 && reasons[clip].includes(place));
    }
    for (const name of Object.keys(MEASURES)) {
      if (wanted.has(name)) tests.push(this.within(name, wanted.get(name)));
    }
    if (wanted.has("cell")) tests.push(this.covers(wanted.get("cell")));
    if (wanted.get("q")) {
      const needle = wanted.get("q").toLowerCase(), lower = this.searchable;
      tests.push((clip) => lower[clip].includes(needle));
    }
    return tests;
  }

  within(name, range) {
    const [low, high] = range.split("..");
    const least = low ? Number(low) : -Infinity, limit = high ? Number(high) : Infinity;
    const column = this.columns[name];
    return (clip) => column[clip] >= least && column[clip] < limit;
  }

  // Whether the side's box holds the middle of a cell, as plots.py counts it.
  covers(cell) {
    const [box, across, down] = cell.split(".");
    const edges = EDGES.map((edge) => this.columns[`${box}_${edge}`]);
    if (edges.includes(undefined)) return () => false;
    const x = (Number(across) + 0.5) / CELLS[0], y = (Number(down) + 0.5) / CELLS[1];
    const whole = NOTHING - 1;
    return (clip) => edges[0][clip] !== NOTHING && edges[0][clip] / whole <= x && x < edges[2][clip] / whole
      && edges[1][clip] / whole <= y && y < edges[3][clip] / whole;
  }

  order(name) {
    if (!MEASURES[name]) return null;
    if (!this.orders.has(name)) {
      const column = this.columns[name];
      const known = Uint32Array.from(this.columns.keep.keys()).filter((clip) => column[clip] === column[clip]);
      this.orders.set(name, known.sort((one, other) => column[one] - column[other] || one - other));
    }
    return this.orders.get(name);
  }

  filter(wanted) {
    const tests = this.tests(wanted), found = [];
    const [name, down] = (wanted.get("sort") || "").split("-");
    const order = this.order(name);
    const count = order ? order.length : this.rows;
    for (let n = 0; n < count; n++) {
      const clip = order ? order[down ? count - 1 - n : n] : n;
      let passes = true;
      for (let t = 0; t < tests.length && passes; t++) passes = tests[t](clip);
      if (passes) found.push(clip);
    }
    return found;
  }

  // Number and hours of each kind: a turn is also in its dialogue, so that they are not to be added up.
  sums(found) {
    const kinds = this.words.kind.map((kind) => ({ kind, count: 0, seconds: 0 }));
    const { kind, length } = this.columns;
    for (const clip of found) {
      kinds[kind[clip]].count += 1;
      kinds[kind[clip]].seconds += length[clip];
    }
    return kinds.filter(({ count }) => count);
  }
}

function shortNumber(hours) {
  return hours >= 1 || hours === 0 ? hours.toFixed(2) : Number(hours.toPrecision(2)).toString();
}

function clock(seconds) {
  const hundredths = Math.round(100 * seconds), minutes = Math.floor(hundredths / 6000);
  return `${minutes}:${((hundredths % 6000) / 100).toFixed(2).padStart(5, "0")}`;
}

function figure(value, unit) {
  return `${Number(value.toPrecision(5))}${unit ? ` ${unit}` : ""}`;
}

class Page {
  constructor(clips) {
    this.clips = clips;
    this.found = [];
    this.page = 0;
    this.seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
      if (!entry.isIntersecting) return;
      entry.target.src = entry.target.dataset.src;
      this.seen.unobserve(entry.target);
    }), { rootMargin: "200px" });
  }

  begin() {
    this.fillSelects();
    const form = byId("filters");
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", () => this.fromForm());
    let waiting = 0;
    byId("q").addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.fromForm(), 120);
    });
    byId("reset").addEventListener("click", () => this.go(new URLSearchParams()));
    byId("before").addEventListener("click", () => this.turn(-1));
    byId("after").addEventListener("click", () => this.turn(1));
    byId("close").addEventListener("click", () => byId("player").close());
    byId("player").addEventListener("close", () => this.stop());
    byId("previous").addEventListener("click", () => this.step(-1));
    byId("next").addEventListener("click", () => this.step(1));
    byId("scene").addEventListener("click", () => this.scene());
    addEventListener("hashchange", () => this.apply(true));
    addEventListener("click", (event) => {  // the fragment is the list's: a part of the page is gone to without
      const part = event.target.closest?.("a.place");
      if (!part) return;
      event.preventDefault();
      const heading = byId(part.getAttribute("href").slice(1));
      heading.scrollIntoView();
      heading.focus({ preventScroll: true });
    });
    addEventListener("click", (event) => {  // a figure whose clips are listed already changes no fragment
      const figure = event.target.closest?.("a[data-count]");
      if (figure && figure.getAttribute("href") === location.hash) this.apply(true);
    });
    this.apply(location.hash.length > 1);
  }

  fillSelects() {
    for (const select of document.querySelectorAll("#filters select[data-words]")) {
      for (const word of this.clips.words[select.dataset.words]) {
        const option = made("option", word);
        option.value = word;
        select.append(option);
      }
    }
    for (const [name, [title]] of Object.entries(MEASURES)) {
      for (const [end, word] of [["", "least first"], ["-down", "most first"]]) {
        const option = made("option", `${title}, ${word}`);
        option.value = name + end;
        byId("sort").append(option);
      }
    }
  }

  get wanted() {
    return new URLSearchParams(location.hash.slice(1));
  }

  // The fragment that the form asks for; what no control shows (ranges, cells, several actors) stays.
  fromForm() {
    const wanted = this.wanted;
    for (const control of byId("filters").querySelectorAll("[name]")) {
      if (wanted.getAll(control.name).length > 1 && !control.value) continue;
      wanted.delete(control.name);
      if (control.value) wanted.set(control.name, control.value);
    }
    wanted.delete("page");
    history.replaceState(null, "", `#${wanted}`);
    this.apply(false);
  }

  go(wanted) {
    history.pushState(null, "", `#${wanted}`);
    this.apply(false);
  }

  apply(show) {
    performance.mark("filter");
    const wanted = this.wanted;
    this.found = this.clips.filter(wanted);
    this.page = Math.max(0, (Number(wanted.get("page")) || 1) - 1);
    this.page = Math.min(this.page, Math.max(0, Math.ceil(this.found.length / PER_PAGE) - 1));
    this.toForm(wanted);
    this.chips(wanted);
    this.list();
    performance.measure("filter", "filter");
    if (!show) return;
    byId("clips").scrollIntoView();
    byId("clips-title").focus({ preventScroll: true });
  }

  toForm(wanted) {
    for (const control of byId("filters").querySelectorAll("[name]")) {
      const values = wanted.getAll(control.name);
      if (document.activeElement !== control || control.tagName !== "INPUT") {
        control.value = values.length === 1 ? values[0] : "";
      }
    }
  }

  // A button for each wanted thing that no control of the form shows.
  chips(wanted) {
    const controls = new Set([...byId("filters").querySelectorAll("[name]")].map((control) => control.name));
    const chips = [];
    for (const name of new Set(wanted.keys())) {
      const values = wanted.getAll(name);
      const hidden = name in MEASURES || name === "cell" || name === "dialogue";
      if (!hidden && !(controls.has(name) && values.length > 1)) continue;
      const [title, unit] = MEASURES[name] || [name, ""];
      const words = values.length > 1 ? `${values.length} values` : `${values[0].replace("..", " to ")} ${unit}`.trim();
      const chip = made("button", `${title}: ${words} ✕`);
      chip.type = "button";
      chip.setAttribute("aria-label", `Remove the filter ${title} ${words}`);
      chip.addEventListener("click", () => {
        const without = this.wanted;
        without.delete(name);
        without.delete("page");
        this.go(without);
        byId("clips-title").focus();
      });
      chips.push(chip);
    }
    byId("chips").replaceChildren(...chips);
  }

  list() {
    this.release([...byId("list").querySelectorAll("video")]);
    const first = this.page * PER_PAGE, last = Math.min(first + PER_PAGE, this.found.length);
    byId("list").replaceChildren(...this.found.slice(first, last).map((clip, n) => this.item(clip, first + n)));
    const count = this.found.length, pages = Math.max(1, Math.ceil(count / PER_PAGE));
    const sums = this.clips.sums(this.found).map((sum) => `${sum.count.toLocaleString("en")} `
      + `${sum.kind}${sum.count === 1 ? "" : "s"} of ${shortNumber(sum.seconds / 3600)} hours`);
    byId("summary").textContent = [`${count.toLocaleString("en")} of ${this.clips.rows.toLocaleString("en")} clips`,
      sums.join(", ")].filter(Boolean).join(": ");
    byId("summary").dataset.count = count;
    byId("where").textContent = `Page ${this.page + 1} of ${pages.toLocaleString("en")}`;
    byId("before").disabled = this.page === 0;
    byId("after").disabled = this.page >= pages - 1;
  }

  // Browsers play only so many files at a time: those of the last page are closed, once the new one is shown.
  release(videos) {
    for (const video of videos) this.seen.unobserve(video);
    setTimeout(() => videos.filter((video) => video.hasAttribute("src")).forEach((video) => {
      video.removeAttribute("src");
      video.load();
    }));
  }

  item(clip, place) {
    const { clips } = this;
    const button = made("button");
    button.type = "button";
    const thumb = made("video", undefined, "thumb");
    Object.assign(thumb, { muted: true, preload: "metadata", playsInline: true, tabIndex: -1 });
    thumb.setAttribute("aria-hidden", "true");
    thumb.dataset.src = `${clips.address(clip)}#t=0.001`;
    this.seen.observe(thumb);
    const about = made("span", undefined, "about");
    about.append(made("strong", clips.strings.id[clip]));
    const facts = [clips.word("kind", clip), clips.word("speaker", clip), clock(clips.columns.length[clip]),
      clips.word("emotion", clip), clips.word("topic", clip)].filter(Boolean);
    about.append(made("span", facts.join(" · "), "soft"));
    if (clips.strings.text[clip]) about.append(made("span", clips.strings.text[clip], "text"));
    if (!clips.columns.keep[clip]) about.append(made("span", `rejected: ${this.why(clip)}`, "rejected"));
    button.append(thumb, about);
    button.addEventListener("click", () => this.play(place));
    const item = made("li");
    item.append(button);
    return item;
  }

  why(clip) {
    return this.clips.reasons[clip].map((place) => this.clips.words.reason[place]).join("; ") || "no reason given";
  }

  turn(by) {
    const wanted = this.wanted;
    wanted.set("page", String(this.page + 1 + by));
    history.replaceState(null, "", `#${wanted}`);
    this.apply(true);
  }

  play(place) {
    const { clips } = this, clip = this.found[place];
    this.playing = place;
    byId("player-title").textContent = clips.strings.id[clip];
    byId("player-text").textContent = clips.strings.text[clip] || "No transcript.";
    const why = clips.strings.why[clip] || "no reason given";
    const facts = [["Verdict", clips.columns.keep[clip] ? "kept" : `rejected: ${why}`],
      ["Session", clips.word("session", clip)], ["Dialogue", clips.word("dialogue", clip)],
      ["Actors", ["left", "right"].map((side) => clips.actor(side, clip) || "unknown").join(" and ")],
      ["Speaker", clips.word("speaker", clip)], ["Emotion", clips.word("emotion", clip)],
      ["Topic", clips.word("topic", clip)], ["From", `${clock(clips.columns.start[clip])} of the session`],
      ...Object.entries(MEASURES).map(([name, [title, unit]]) => {
        const value = clips.columns[name][clip];
        return [title, value === value ? figure(value, unit) : ""];
      })];
    const list = facts.filter(([, value]) => value).flatMap(([title, value]) => [made("dt", title), made("dd", value)]);
    byId("player-facts").replaceChildren(...list);
    byId("scene").hidden = !clips.word("dialogue", clip);
    byId("previous").disabled = place === 0;
    byId("next").disabled = place >= this.found.length - 1;
    const video = byId("video");
    byId("player-trouble").hidden = true;
    video.onerror = () => { byId("player-trouble").hidden = !video.getAttribute("src"); };
    video.src = clips.address(clip);
    byId("file").href = clips.address(clip);
    if (!byId("player").open) byId("player").showModal();
    video.play().catch(() => {});
  }

  step(by) {
    const place = this.playing + by;
    if (place >= 0 && place < this.found.length) this.play(place);
  }

  scene() {
    const clip = this.found[this.playing];
    const [session, dialogue] = ["session", "dialogue"].map((name) => this.clips.word(name, clip));
    byId("player").close();
    this.go(new URLSearchParams({ session, dialogue }));
    byId("clips-title").focus();
  }

  stop() {
    const video = byId("video");
    video.pause();
    video.removeAttribute("src");
    video.load();
    const page = Math.floor(this.playing / PER_PAGE);
    if (page !== this.page && this.playing < this.found.length) {
      this.page = page;
      this.list();
    }
    byId("list").children[this.playing % PER_PAGE]?.firstChild.focus();
  }
}

let page = null;

unpack(byId("data").textContent).then((data) => {
  byId("data").textContent = "";
  page = new Page(new Clips(data));
  page.begin();
  document.documentElement.dataset.ready = "yes";
  performance.mark("ready");
}).catch((error) => {
  byId("summary").textContent = `The list cannot be shown: ${error.message}`;
});
