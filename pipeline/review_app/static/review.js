// The review page with hands on the keyboard. Everything here also works without it, by Tab, links and buttons.
"use strict";
const form = document.getElementById("review");
const field = (name) => form.elements.namedItem(name);

// ---- time: counted while somebody is at it, here or in a previewed page ----
const IDLE = 60_000;
let counted = 0;
let lastSign = Date.now();
let lastTick = Date.now();
const before = Number(form.dataset.seconds);
const sign = () => { lastSign = Date.now(); };
for (const kind of ["pointermove", "pointerdown", "keydown", "wheel", "touchstart", "scroll"])
  addEventListener(kind, sign, { passive: true, capture: true });
const frames = [...document.querySelectorAll("iframe")];
addEventListener("message", (event) => {
  if (event.data === "reading") sign();
  if (event.data === "leave") // out of a previewed page, to where its heading is
    frames.find((frame) => frame.contentWindow === event.source)?.parentElement.querySelector(".apart").focus();
});
setInterval(() => {
  const now = Date.now();
  if (!document.hidden && now - lastSign < IDLE) counted += Math.min(now - lastTick, 2000);
  lastTick = now;
  field("active").value = String(Math.round(counted / 1000));
  document.getElementById("clock").textContent = `${Math.floor((before + counted / 1000) / 60)} min`;
}, 1000);

// ---- leaving: what is ticked and typed is remembered by the server ----
let sent = false;
form.addEventListener("submit", () => { sent = true; });
addEventListener("pagehide", () => {
  if (sent) return;
  const data = new URLSearchParams(new FormData(form));
  data.set("do", "keep");
  data.set("beacon", "1");
  fetch(form.action, { method: "POST", body: data, keepalive: true });
  counted = 0;
  sent = true;
});
addEventListener("pageshow", () => { sent = false; });

// ---- the files may change under the page ----
const changed = document.getElementById("changed");
async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(`${location.pathname}/stamp`);
    if (answer.ok) changed.hidden = (await answer.json()).stamp === form.dataset.stamp;
  } catch { /* the server ended; the next press of a button says so */ }
}
setInterval(look, 2000);
addEventListener("visibilitychange", look);

// ---- a place in the text ----
function showInText(edition, line, column) {
  const area = document.getElementById(`text-${edition}`);
  const lines = area.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0) + column - 1;
  const rest = area.value.slice(start);
  const end = start + Math.max(1, Math.min(rest.search(/[.!?]\s|\n\n/) + 1 || rest.length, rest.length));
  area.scrollIntoView({ block: "center" });
  area.setSelectionRange(start, start);
  area.blur();
  area.focus(); // scrolls the field to its caret
  area.setSelectionRange(start, end);
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-line], a[data-frame]");
  if (!link) return;
  if (link.dataset.line) {
    event.preventDefault();
    showInText(link.dataset.edition, Number(link.dataset.line), Number(link.dataset.column));
  } else {
    const frame = document.getElementById(`frame-${link.dataset.frame}`);
    const box = frame.getBoundingClientRect();
    if (box.top < 0 || box.bottom > innerHeight + 80) frame.scrollIntoView({ block: "nearest" });
  }
});

// ---- the queue: how many are left ----
function left() {
  for (const count of document.querySelectorAll("[data-queue]")) {
    const edition = count.dataset.queue;
    const groups = [...document.querySelectorAll(`#findings .${edition} fieldset`)];
    const open = groups.filter((group) => !group.querySelector("input:checked")).length;
    const back = groups.filter((group) => group.querySelector("input[value=back]:checked")).length;
    count.textContent = open ? `${open} left` : "all decided";
    const note = document.querySelector(`[data-left="${edition}"]`);
    if (note) note.textContent = open ? `${open} sentence${open > 1 ? "s" : ""} of the queue to decide.`
      : back ? `${back} sentence${back > 1 ? "s need" : " needs"} backing: send it back, or edit.` : "Nothing stands against it.";
  }
}
form.addEventListener("change", left);
left();

// ---- keys ----
const single = document.getElementById("single-keys");
single.checked = localStorage.getItem("single-keys") !== "off";
single.addEventListener("change", () => localStorage.setItem("single-keys", single.checked ? "on" : "off"));

const findings = [...document.querySelectorAll(".finding")];
let at = -1;
const current = () => document.activeElement?.closest?.(".finding") ?? findings[at];
function go(step) {
  if (!findings.length) return;
  const here = findings.indexOf(document.activeElement?.closest?.(".finding"));
  at = Math.max(0, Math.min(findings.length - 1, (here >= 0 ? here : at) + step));
  findings[at].focus();
  findings[at].scrollIntoView({ block: "nearest" });
}
function section(link) {
  const target = document.querySelector(link.getAttribute("href"));
  target.scrollIntoView();
  target.focus({ preventScroll: true });
}
function choose(value) {
  const input = current()?.querySelector(`input[value=${value}]`);
  if (!input) return;
  input.checked = true;
  left();
  go(1);
}
const approve = [...document.querySelectorAll("button.approve")];
const actions = {
  n: () => go(1),
  p: () => go(-1),
  y: () => choose("fine"),
  x: () => choose("back"),
  g: () => current()?.querySelector("a[data-frame]")?.click(),
  e: () => (current()?.querySelector("a[data-line]") ?? { click: () => document.querySelector("#text textarea").focus() }).click(),
  a: () => approve[(approve.indexOf(document.activeElement) + 1) % approve.length]?.focus(),
  b: () => document.querySelector(".decision textarea")?.focus(),
  r: () => location.assign(location.pathname),
  u: () => location.assign("/"),
  "?": () => { const keys = document.getElementById("keys"); keys.open = !keys.open; if (keys.open) keys.scrollIntoView(); },
};
addEventListener("keydown", (event) => {
  const target = event.target;
  const typing = target.matches?.("textarea");
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s" && target.dataset?.edition) {
    event.preventDefault();
    form.querySelector(`button[value="save:${target.dataset.edition}"]`).click();
  } else if (typing && event.key === "Escape") {
    target.blur();
  } else if (!typing && single.checked && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const link = document.querySelector(`a[data-key="${event.key}"]`);
    const action = link ? () => section(link) : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
});
document.getElementById("refused")?.focus();
