// What pages gain with scripts on. Everything here is an addition: text, switch, figures and formulas work without it.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const edition = document.querySelector("article[data-kf-edition]");

  // The switch keeps the reader's place: the last heading above the upper third of the screen.
  const headings = all(".kf-prose h2[id], .kf-prose h3[id]");
  const keepPlace = (event) => {
    const line = innerHeight / 3;
    const here = headings.filter((h) => h.getBoundingClientRect().top < line).pop();
    event.currentTarget.hash = here ? here.id : "";
  };
  for (const link of all("a[data-kf-switch]"))
    for (const type of ["pointerdown", "focus", "click"]) link.addEventListener(type, keepPlace);

  // The header's short switch shows once the one above the title has left the screen.
  const full = document.querySelector(".kf-switch:not(.kf-switch--compact)");
  const short = document.querySelector(".kf-switch--compact");
  if (full && short)
    new IntersectionObserver(([entry]) => short.toggleAttribute("data-kf-shown", !entry.isIntersecting)).observe(full);

  // Where a value comes from, on hover, tap or focus. The text is the value's title, which works without scripts too.
  if (edition) {
    const pop = document.createElement("div");
    pop.className = "kf-pop";
    pop.id = "kf-pop";
    pop.hidden = true;
    const say = document.createElement("p");
    const key = document.createElement("code");
    const link = document.createElement("a");
    link.textContent = "How this was measured";
    pop.append(say, key, document.createElement("br"), link);
    edition.append(pop);
    const appendix = all("details.abstract").find((fold) => fold.textContent.trim().startsWith("How this was measured"));
    if (appendix) appendix.id ||= "how-this-was-measured";
    const rows = new Map(appendix ? all("tr code", appendix).map((code) => [code.textContent, code.closest("tr")]) : []);
    let open = null;
    const close = () => {
      if (open) open.setAttribute("aria-expanded", "false");
      open = null;
      pop.hidden = true;
    };
    const show = (value) => {
      if (open === value) return;
      close();
      open = value;
      open.setAttribute("aria-expanded", "true");
      say.textContent = value.dataset.kfTitle.replaceAll(" · ", "\n");
      key.textContent = value.dataset.key || "";
      const row = rows.get(value.dataset.key) || appendix;
      link.hidden = !row;
      if (row) link.href = `#${(row.id ||= `fact-${value.dataset.key}`)}`;
      pop.hidden = false;
      value.after(pop); // next in reading and tab order
      const box = value.getBoundingClientRect();
      const base = pop.offsetParent.getBoundingClientRect();
      const left = Math.min(Math.max(box.left, 16), document.documentElement.clientWidth - pop.offsetWidth - 16);
      pop.style.left = `${left - base.left}px`;
      pop.style.top = `${box.bottom - base.top + 4}px`;
    };
    for (const value of all("data.kf-value[title]", edition)) {
      value.dataset.kfTitle = value.title;
      value.removeAttribute("title");
      value.tabIndex = 0;
      value.setAttribute("role", "button");
      value.setAttribute("aria-expanded", "false");
      value.setAttribute("aria-controls", "kf-pop");
      value.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show(value));
      const ask = () => { show(value); pop.scrollIntoView({ block: "nearest" }); };
      value.addEventListener("click", ask);
      value.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); ask(); }
      });
    }
    document.addEventListener("pointerdown", (event) => !event.target.closest(".kf-pop, data.kf-value") && close());
    document.addEventListener("pointerover", (event) => {
      if (event.pointerType === "mouse" && open !== document.activeElement && !event.target.closest(".kf-pop, data.kf-value")) close();
    });
    document.addEventListener("focusin", (event) => !event.target.closest(".kf-pop, data.kf-value") && close());
    document.addEventListener("keydown", (event) => event.key === "Escape" && close());
    // A link into the folded appendix unfolds it.
    const unfold = () => {
      const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
      const fold = target && target.closest("details");
      if (fold && !fold.open) { fold.open = true; target.scrollIntoView(); }
    };
    addEventListener("hashchange", unfold);
    unfold();
  }

  // Figures at full size.
  for (const figure of all(".kf-figure")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "kf-zoom";
    button.textContent = "Enlarge";
    const caption = figure.querySelector("figcaption");
    button.setAttribute("aria-label", `Enlarge ${caption ? caption.textContent.split(".")[0].trim() : "figure"}`);
    button.addEventListener("click", () => {
      const shown = all("img", figure).find((img) => img.offsetParent !== null);
      if (!shown) return;
      const dialog = document.createElement("dialog");
      dialog.className = "kf-light";
      dialog.setAttribute("aria-label", button.getAttribute("aria-label"));
      const image = document.createElement("img");
      image.src = shown.src.split("#")[0];
      image.alt = shown.alt;
      const done = document.createElement("button");
      done.textContent = "Close";
      done.addEventListener("click", () => dialog.close());
      dialog.addEventListener("close", () => dialog.remove());
      dialog.append(image, done);
      document.body.append(dialog);
      dialog.showModal();
    });
    figure.append(button);
  }

  // Wide formulas and tables can be scrolled from the keyboard.
  const scrollers = () => {
    for (const box of all("div.arithmatex, .md-typeset__scrollwrap"))
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
  };
  addEventListener("load", scrollers);
  addEventListener("resize", scrollers);
  addEventListener("beforeprint", () => all("details").forEach((fold) => (fold.open = true)));
})();
