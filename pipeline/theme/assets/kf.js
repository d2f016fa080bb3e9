// What pages gain with scripts on. Everything here is an addition: text, switch, figures and formulas work without it.
"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const edition = document.querySelector("article[data-kf-edition]");
  const idle = window.requestIdleCallback || setTimeout; // for what nobody can miss within a moment

  // Colours: the system's, light, dark. The header painted what was chosen before; here is one button for each state.
  const schemes = all("[data-kf-scheme]");
  const offer = (state) => schemes.forEach((button, number) => { button.hidden = number !== state; });
  schemes.forEach((button, number) => button.addEventListener("click", () => {
    const next = (number + 1) % schemes.length;
    __md_set("__palette", { index: next });
    kfScheme(next);
    offer(next);
    schemes[next].focus();
  }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => kfScheme(kfChosen()));
  if (schemes.length) offer(kfChosen());

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

  // Where a value comes from, what a term means, what is cited: on hover, tap or Enter. Without scripts all are plain
  // links, to the value's row in "How this was measured", to the glossary and to the source.
  const MARKS = "a.kf-origin, a.kf-term, sup a.footnote-ref";
  if (edition && "popover" in HTMLElement.prototype) {
    const known = document.getElementById("kf-facts");
    const { facts = {}, runs = {} } = known ? JSON.parse(known.textContent) : {};
    const make = (tag, text, inner = []) => {
      const element = document.createElement(tag);
      if (text) element.textContent = text;
      element.append(...inner);
      return element;
    };
    const link = (text, href) => Object.assign(make("a", text), { href });
    const codePage = (address) => {
      const [path, line] = address.split("#");
      return `${known.dataset.base}/${path}${known.dataset.suffix}${line ? `#${line}` : ""}`;
    };
    const origin = (data, text) => {
      const fact = facts[data.dataset.key];
      if (!fact) return [make("p", text.replaceAll(" · ", "\n"))];
      const run = runs[fact.run] || {};
      const rows = [
        ["How", fact.how],
        ["Repetitions", fact.n > 1 && `n = ${fact.n}`],
        ["Interval", fact.interval],
        ["Run", fact.run && `${fact.run}${run.date ? `, ${run.date}` : ""}`],
        ["Study", run.study && (run.page ? link(`${run.title} (${run.study})`, codePage(run.page)) : `${run.title} (${run.study})`)],
        ["Seeds", run.seeds && String(run.seeds)],
        ["Commit", run.commit],
        ["Measured on", fact.machine && run.machine],
        ["Line", fact.line && (fact.code ? link(fact.line.split("/").pop(), codePage(fact.code)) : fact.line)],
      ].filter(([, value]) => value);
      const list = make("dl", "", rows.flatMap(([name, value]) => [make("dt", name), make("dd", "", [value])]));
      return [make("p", fact.what), make("code", data.dataset.key), list];
    };

    const pop = make("div");
    pop.className = "kf-pop";
    pop.id = "kf-pop";
    pop.popover = "manual"; // "auto" would close between a press and its click
    pop.setAttribute("role", "dialog");
    edition.append(pop);
    let open = null;
    const close = () => {
      if (!open) return;
      open.setAttribute("aria-expanded", "false");
      open = null;
      pop.hidePopover();
    };
    const show = (mark) => {
      if (open === mark) return;
      close();
      const data = mark.querySelector("data");
      const titled = mark.title ? mark : mark.querySelector("[title]");
      if (titled) { // or the browser would show it beside this
        mark.dataset.kfTitle = titled.title;
        titled.removeAttribute("title");
      }
      const cited = mark.matches(".footnote-ref") && document.getElementById(decodeURIComponent(mark.hash.slice(1)));
      const parts = data ? origin(data, mark.dataset.kfTitle)
        : cited ? [...cited.children].map((part) => part.cloneNode(true))
        : [make("p", mark.dataset.kfTitle)];
      const more = link(data ? "How this was measured" : cited ? "Sources" : "Glossary", mark.getAttribute("href"));
      more.addEventListener("click", close);
      pop.replaceChildren(...parts, more);
      pop.setAttribute("aria-label", data ? "Where this value comes from" : cited ? "Source" : "What this term means");
      mark.after(pop); // next in reading and tab order
      pop.showPopover();
      open = mark;
      open.setAttribute("aria-expanded", "true");
      const box = mark.getBoundingClientRect();
      const left = Math.min(Math.max(box.left, 16), document.documentElement.clientWidth - pop.offsetWidth - 16);
      const below = box.bottom + 4 + pop.offsetHeight <= innerHeight || box.top < pop.offsetHeight + 60;
      pop.style.left = `${left + scrollX}px`;
      pop.style.top = `${(below ? box.bottom + 4 : box.top - pop.offsetHeight - 4) + scrollY}px`;
    };
    idle(() => all(MARKS, edition).forEach((mark) => {
      mark.setAttribute("aria-haspopup", "dialog");
      mark.setAttribute("aria-expanded", String(mark === open));
    }));
    edition.addEventListener("click", (event) => {
      const mark = event.target.closest?.(MARKS);
      if (!mark || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      show(mark);
    });
    const elsewhere = (event) => !event.target.closest?.(`.kf-pop, ${MARKS}`);
    document.addEventListener("pointerover", (event) => {
      if (event.pointerType !== "mouse") return;
      const mark = event.target.closest?.(MARKS);
      if (mark && edition.contains(mark)) show(mark);
      else if (open !== document.activeElement && elsewhere(event)) close();
    });
    for (const type of ["focusin", "pointerdown"]) document.addEventListener(type, (event) => elsewhere(event) && close());
    document.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !open) return;
      const mark = pop.contains(document.activeElement) && open;
      close();
      if (mark) mark.focus(); // back to where the reader was
    });
  }
  // A link into a folded part unfolds it, also in browsers that do not by themselves.
  const unfold = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const fold = target && target.closest("details");
    if (fold && !fold.open) { fold.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", unfold);
  unfold();

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

  // Wide formulas and tables can be scrolled from the keyboard; each is looked at when it comes near the screen.
  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target: box } of entries)
      if (isIntersecting) {
        if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
        else box.removeAttribute("tabindex");
      }
  }, { rootMargin: "50%" });
  for (const box of all("div.arithmatex, .md-typeset__scrollwrap")) near.observe(box);
  addEventListener("beforeprint", () => all("details").forEach((fold) => (fold.open = true)));
})();
