// In a previewed page. It has no origin, hence no storage, which the theme expects to have: it gets one that forgets.
const kept = new Map();
const storage = {
  getItem: (key) => kept.get(key) ?? null,
  setItem: (key, value) => { kept.set(key, String(value)); },
  removeItem: (key) => { kept.delete(key); },
};
for (const name of ["localStorage", "sessionStorage"]) Object.defineProperty(window, name, { value: storage });

// Tell the review page that somebody is reading, so that its clock runs, or wants to leave. Nothing else crosses.
for (const sign of ["pointermove", "keydown", "wheel", "touchstart", "scroll"])
  addEventListener(sign, () => parent.postMessage("reading", "*"), { passive: true, capture: true });
addEventListener("keydown", (event) => event.key === "Escape" && parent.postMessage("leave", "*"));
