// Keyboard shortcuts, kept words of an edit, and menus that close. Every page works without this file.
(() => {
  "use strict";
  const one = (selector) => document.querySelector(selector);
  const typing = (element) => element?.closest?.("input, textarea, select, [contenteditable], dialog[open]");

  // -- keyboard ---------------------------------------------------------------------------------
  let armed = null;
  const came = performance.now(); // the server knows when it showed the page, not how long the line took

  const disarm = () => {
    armed?.classList.remove("armed");
    armed = null;
  };

  // The first press chooses, the second confirms: a stray key approves nothing.
  const approve = (button) => {
    if (armed === button) {
      disarm();
      button.click();
      return;
    }
    button.focus(); // first: what loses the focus disarms
    armed = button;
    button.classList.add("armed");
  };

  // What the page is about goes before what was decided on the page before.
  const press = (key) => {
    const target = one(`#state [data-key="${key}"]`) ?? one(`[data-key="${key}"]`);
    if (!target) return false;
    if (key !== "a") target.click();
    else if (performance.now() - came >= 1000) approve(target); // as long as the style sheet holds it from pointers
    if (key === "r") target.closest("details")?.querySelector("textarea")?.focus();
    return true;
  };

  const step = (by) => {
    const rows = [...document.querySelectorAll("[data-row]")];
    if (!rows.length) return false;
    const at = rows.indexOf(document.activeElement);
    const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
    rows[next].focus();
    return true;
  };

  const help = () => {
    const dialog = one("#help");
    if (dialog && !dialog.open) dialog.showModal();
    return Boolean(dialog);
  };

  const handle = (key) => {
    if (key === "?") return help();
    if (key === "j") return press("j") || step(1);
    if (key === "k") return press("k") || step(-1);
    return ["a", "e", "r", "u", "q"].includes(key) && press(key);
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event.target)) return;
    if (event.key !== "a" && event.key !== "Enter") disarm();
    if (handle(event.key)) event.preventDefault();
  });
  document.addEventListener("focusout", disarm);

  // -- a form is sent once ------------------------------------------------------------------------
  const buttons = (form) => form.querySelectorAll("button");
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    // Not at once: the button's own value is still to be sent.
    setTimeout(() => buttons(event.target).forEach((button) => { button.disabled = true; }));
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload(); // kept by the browser from before a decision
  });

  // -- menus ------------------------------------------------------------------------------------
  document.querySelectorAll("[data-help]").forEach((button) => {
    button.hidden = false;
    button.addEventListener("click", help);
  });
  document.addEventListener("click", (event) => {
    document.querySelectorAll("details.who[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  // -- an edit's words outlive a lost connection or session; this tab only ------------------------
  const field = one("textarea[data-keep]");
  if (field) {
    const key = `edit ${field.dataset.keep}`;
    const kept = sessionStorage.getItem(key);
    if (kept !== null && !one("#problem")) field.value = kept;
    field.addEventListener("input", () => sessionStorage.setItem(key, field.value));
  } else {
    const from = new URL(document.referrer || location.href).pathname.match(/^\/console\/requests\/([0-9a-f-]+)\/edit$/);
    const leftByLink = location.pathname.startsWith("/console/requests/");
    if (from && leftByLink) sessionStorage.removeItem(`edit ${from[1]}`);
  }
})();
